import { authorizePayment, openPayment, type Payment, type PaymentMethod } from '../src/domain/payment.js';

export const NOW = new Date('2030-01-02T03:04:05.000Z');

/** A payment of 19.99 USD, PROCESSING, for the order. */
export function aPayment(orderId: string, paymentId: string, method: PaymentMethod = 'card', amount = 1999n): Payment {
  return openPayment({ orderId, amount: { amount, currency: 'USD' }, method }, paymentId, NOW);
}

export function anAuthorization(orderId: string, paymentId: string, method: PaymentMethod = 'manual') {
  return authorizePayment(aPayment(orderId, paymentId, method), '', NOW);
}
