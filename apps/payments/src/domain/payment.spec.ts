import { aCapture, aPayment, aRefund, NOW } from '../../test/payment-builder.js';
import {
  authorizePayment,
  capturePart,
  closePayment,
  declinePayment,
  disputePayment,
  failCapture,
  failRefund,
  refundPart,
  requireSameTerms,
  voidInAdvance,
  voidPayment,
} from './payment.js';

const LATER = new Date('2030-01-02T03:05:00Z');
const TERMS = { orderId: 'order-1', amount: { amount: 1999n, currency: 'USD' }, method: 'card' } as const;

const opened = aPayment('order-1', 'payment-1');
const authorized = authorizePayment(opened, 'pi_1', NOW).payment;
const captured = capturePart(authorized, aCapture(), true, NOW).payment;
const voided = voidPayment(authorized, NOW).payment;

describe('transitions', () => {
  it('tells each fact with the payment as it was right after it', () => {
    const { payment, events } = authorizePayment(opened, 'pi_1', LATER);
    expect(payment).toMatchObject({ state: 'AUTHORIZED', providerReference: 'pi_1', version: 2, updateTime: LATER });
    expect(events).toEqual([{ kind: 'PaymentAuthorized', payment }]);
    expect(declinePayment(opened, 'pi_1', 'expired_card', LATER).payment).toMatchObject({
      declineCode: 'expired_card',
    });
  });

  it('refuses what the table does not allow', () => {
    expect(() => capturePart(opened, aCapture(), true, NOW)).toThrow("PROCESSING can't become CAPTURED");
    expect(() => voidPayment(captured, NOW)).toThrow();
    expect(() => authorizePayment(voided, 'pi_1', NOW)).toThrow();
    expect(() => closePayment(voided, NOW)).toThrow();
  });

  it('voids a payment in advance, so that it is called off before it is asked for (F24)', () => {
    const { payment, events } = voidInAdvance('order-1', 'payment-1', NOW);
    expect(payment).toMatchObject({ state: 'VOIDED', amount: { amount: 0n }, method: 'none' });
    expect(events).toMatchObject([{ kind: 'PaymentVoided' }]);
    expect(() => requireSameTerms(payment, TERMS)).not.toThrow();
  });
});

describe('captures', () => {
  const part = aCapture({ amount: 500n, final: false });

  it('leave a payment AUTHORIZED while more may come, and say what was taken (F48)', () => {
    const { payment, events } = capturePart(authorized, part, false, LATER);
    const capture = { ...part, state: 'SUCCEEDED' };
    expect(payment).toMatchObject({ state: 'AUTHORIZED', capturedAmount: 500n, captures: [capture], version: 3 });
    expect(events).toEqual([{ kind: 'PaymentCaptured', payment, capture }]);
  });

  it('end with the last one, which fails what was under way', () => {
    const asked = { ...authorized, captures: [part] };
    const { payment } = capturePart(asked, aCapture({ sequence: 2, amount: 700n }), true, LATER);
    expect(payment).toMatchObject({ state: 'CAPTURED', capturedAmount: 700n });
    expect(payment.captures.map(({ state }) => state)).toEqual(['FAILED', 'SUCCEEDED']);
    expect(voidPayment(asked, LATER).payment.captures).toMatchObject([{ state: 'FAILED' }]);
  });

  it('end without another one where the rest was let go', () => {
    const { payment } = capturePart(authorized, part, false, NOW);
    const closed = closePayment(payment, LATER);
    expect(closed.payment).toMatchObject({ state: 'CAPTURED', capturedAmount: 500n });
    expect(closed.events).toEqual([{ kind: 'PaymentCaptured', payment: closed.payment }]);
  });

  it('end with REFUNDED where all that was taken had gone back', () => {
    const { payment } = capturePart(authorized, part, false, NOW);
    const back = refundPart(payment, aRefund({ amount: 500n }), NOW).payment;
    expect(back).toMatchObject({ state: 'AUTHORIZED', refundedAmount: 500n });
    const { payment: over, events } = closePayment(back, LATER);
    expect(over).toMatchObject({ state: 'REFUNDED' });
    expect(events.map(({ kind }) => kind)).toEqual(['PaymentCaptured', 'PaymentRefunded']);
  });

  it('that are refused leave their amount free', () => {
    const { payment, events } = failCapture({ ...authorized, captures: [part] }, part, LATER);
    expect(payment).toMatchObject({ capturedAmount: 0n, captures: [{ state: 'FAILED' }], version: 3 });
    expect(events).toEqual([]);
  });
});

describe('refunds', () => {
  it('leave a payment CAPTURED until all of it went back, and are told one by one (F48)', () => {
    const refund = aRefund({ amount: 500n });
    const part = refundPart(captured, refund, LATER);
    expect(part.payment).toMatchObject({ state: 'CAPTURED', refundedAmount: 500n, version: 4 });
    expect(part.events).toEqual([
      { kind: 'PaymentRefunded', payment: part.payment, refund: { ...refund, state: 'SUCCEEDED' } },
    ]);
    const rest = refundPart(part.payment, aRefund({ refundId: 'rest', amount: 1499n }), LATER);
    expect(rest).toMatchObject({
      payment: { state: 'REFUNDED', refundedAmount: 1999n, refunds: [{ amount: 500n }, { amount: 1499n }] },
      events: [{ kind: 'PaymentRefunded', refund: { amount: 1499n } }],
    });
  });

  it('that are refused leave their amount free', () => {
    const asked = { ...captured, refunds: [aRefund()] };
    const { payment, events } = failRefund(asked, aRefund(), LATER);
    expect(payment).toMatchObject({ refundedAmount: 0n, refunds: [{ state: 'FAILED' }] });
    expect(events).toEqual([]);
  });
});

it('tells of a dispute by how much the bank took or gave back (F52)', () => {
  const opened = disputePayment(captured, 500n, LATER);
  expect(opened).toMatchObject({
    payment: { state: 'CAPTURED', disputedAmount: 500n },
    events: [{ kind: 'PaymentDisputed', disputed: 500n }],
  });
  const won = disputePayment(opened.payment, 0n, LATER);
  expect(won).toMatchObject({ payment: { disputedAmount: 0n }, events: [{ disputed: -500n }] });
});

it.each([
  ['amount', { ...TERMS, amount: { amount: 2000n, currency: 'USD' } }],
  ['currency', { ...TERMS, amount: { amount: 1999n, currency: 'EUR' } }],
  ['method', { ...TERMS, method: 'manual' as const }],
])('refuses another %s for the same order (F53)', (_what, terms) => {
  expect(() => requireSameTerms(opened, terms)).toThrow('another amount or method');
});
