import { aCapture, aPayment, aRefund, NOW } from '../../test/payment-builder.js';
import { entryOf } from './ledger.js';
import { authorizePayment, capturePart, disputePayment, refundPart, type PaymentMethod } from './payment.js';

const authorized = (method: PaymentMethod) => authorizePayment(aPayment('order-1', 'payment-1', method), 'pi_1', NOW);
const captured = (method: PaymentMethod = 'card') => capturePart(authorized(method).payment, aCapture(), true, NOW);

it('books what was taken, given back and disputed, each under its cause', () => {
  const { payment } = captured();
  const facts = [
    ...captured().events,
    ...refundPart(payment, aRefund({ refundId: 'r', amount: 500n }), NOW).events,
    ...disputePayment(payment, 100n, NOW).events,
    ...disputePayment({ ...payment, disputedAmount: 100n, version: 8 }, 0n, NOW).events,
  ];
  expect(facts.map(entryOf)).toEqual(
    [
      { cause: 'capture:payment-1:1', debit: 'clearing:card', credit: 'sales', amount: 1999n },
      { cause: 'refund:r', debit: 'refunds', credit: 'clearing:card', amount: 500n },
      { cause: 'dispute:payment-1:4', debit: 'disputes', credit: 'clearing:card', amount: 100n },
      { cause: 'dispute:payment-1:9', debit: 'clearing:card', credit: 'disputes', amount: 100n },
    ].map((entry) => ({ ...entry, paymentId: 'payment-1', currency: 'USD' })),
  );
});

it('keeps what came in by hand apart, and books nothing for what moves nothing', () => {
  expect(captured('manual').events.map(entryOf)).toMatchObject([{ debit: 'clearing:manual' }]);
  expect(authorized('card').events.map(entryOf)).toEqual([undefined]);
});
