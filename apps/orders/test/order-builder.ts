import { confirmOrder, placeOrder, type NewOrder, type Order } from '../src/domain/order.js';

export const ANY_TIME = new Date('2026-03-01T10:00:00.000Z');

/** What a buyer of two necklaces and a lamp asks for. */
export function newOrder(change: Partial<NewOrder> = {}): NewOrder {
  return {
    orderId: '0195a1b2-0000-7000-8000-000000000001',
    number: 'S7K2-M9QX',
    lines: [line('NECKLACE-SILVER', 'Silver necklace', 2, 4_299n), line('LAMP-BRASS', 'Brass lamp', 1, 12_900n)],
    email: 'ada@example.com',
    shippingAddress: {
      name: 'Ada Lovelace',
      line1: '12 St James Square',
      line2: '',
      city: 'London',
      region: '',
      postalCode: 'SW1Y 4JH',
      country: 'GB',
    },
    payment: { method: 'card', token: 'pm_card_visa', clientDigest: '' },
    ...change,
  };
}

export function pendingOrder(change: Partial<NewOrder> = {}): Order {
  return placeOrder(newOrder(change), ANY_TIME).order;
}

export function confirmedOrder(change: Partial<NewOrder> = {}): Order {
  return confirmOrder(pendingOrder(change), [], ANY_TIME).order;
}

function line(sku: string, title: string, quantity: number, price: bigint) {
  const unitPrice = { amount: price, currency: 'USD' };
  return { sku, title, quantity, unitPrice, total: { amount: price * BigInt(quantity), currency: 'USD' } };
}
