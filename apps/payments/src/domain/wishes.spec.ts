import { aCapture, aPayment, aRefund, NOW } from '../../test/payment-builder.js';
import { authorizePayment, capturePart, declinePayment, refundPart, voidPayment, type Payment } from './payment.js';
import { amountToRefund, nextStep, requestCapture, requestRefund } from './wishes.js';

const FRESH = { refundId: 'refund-1', now: NOW };

const opened = aPayment('order-1', 'payment-1');
const authorized = authorizePayment(opened, 'pi_1', NOW).payment;
const part = aCapture({ amount: 500n, final: false });
const inPart = capturePart(authorized, part, false, NOW).payment;
const captured = capturePart(authorized, aCapture(), true, NOW).payment;
const declined = declinePayment(opened, 'pi_1', 'insufficient_funds', NOW).payment;
const voided = voidPayment(authorized, NOW).payment;
const refunded = refundPart(captured, aRefund(), NOW).payment;
const cancelled = <P extends Payment>(payment: P) => ({ ...payment, cancelRequested: true });

describe('the next step', () => {
  const refund = aRefund({ amount: 500n });
  it.each<[string, Payment, object | undefined]>([
    ['asks for an answer that is not known', opened, { kind: 'authorize' }],
    ['asks first what there is to void', cancelled(opened), { kind: 'authorize' }],
    ['leaves money aside until somebody wants it', authorized, undefined],
    [
      'captures all that is left where an event wants it',
      { ...inPart, captureRequested: true },
      { kind: 'capture', capture: { sequence: 2, amount: 1499n, final: true } },
    ],
    [
      'asks again for a capture whose outcome is not known',
      { ...authorized, captures: [part], captureRequested: true, lapsed: true },
      { kind: 'capture', capture: part },
    ],
    ['rather voids than captures', cancelled({ ...authorized, captures: [part] }), { kind: 'void' }],
    ['lets go what nobody took in time (F51)', { ...authorized, lapsed: true }, { kind: 'void' }],
    ['lets go the rest where a part was taken (F51)', { ...inPart, lapsed: true }, { kind: 'release' }],
    ['lets go the rest before it gives back what was taken', cancelled(inPart), { kind: 'release' }],
    ['refunds what was asked for', { ...captured, refunds: [refund] }, { kind: 'refund', refund }],
    ['refunds a part before the last capture too', { ...inPart, refunds: [refund] }, { kind: 'refund', refund }],
    [
      'rather asks for a refund than about one that the provider has taken on',
      { ...captured, refunds: [{ ...refund, reference: 're_1' }, aRefund({ refundId: 'second', amount: 10n })] },
      { kind: 'refund', refund: { refundId: 'second' } },
    ],
    [
      'refunds all that is left of what was called off',
      cancelled(refundPart(captured, refund, NOW).payment),
      { kind: 'refund', refund: { refundId: 'refund-1', amount: 1499n } },
    ],
    ['has nothing to do for a captured payment', { ...captured, captureRequested: true }, undefined],
    ['has nothing to do for a voided payment', cancelled(voided), undefined],
    ['has nothing to do for a declined payment', cancelled(declined), undefined],
    ['has nothing to do for a refunded payment', cancelled(refunded), undefined],
  ])('%s', (_name, payment, step) => {
    if (step) expect(nextStep(payment, FRESH)).toMatchObject(step);
    else expect(nextStep(payment, FRESH)).toBeUndefined();
  });
});

describe('asking for a capture', () => {
  it('takes all that is left, and says nothing where it was taken before', () => {
    expect(requestCapture(inPart, 0n, false, NOW)).toMatchObject({ sequence: 2, amount: 1499n, final: true });
    expect(requestCapture(captured, 0n, false, NOW)).toBeUndefined();
  });

  it('lets the rest go with a part unless more is to come, and with the last part in any case', () => {
    expect(requestCapture(authorized, 500n, false, NOW)).toMatchObject({ amount: 500n, final: true });
    expect(requestCapture(authorized, 500n, true, NOW)).toMatchObject({ amount: 500n, final: false });
    expect(requestCapture(authorized, 1999n, true, NOW)).toMatchObject({ final: true });
  });

  it('is capped by what was not asked for yet (F48)', () => {
    const asked = { ...authorized, captures: [part] };
    expect(requestCapture(asked, 1499n, false, NOW)).toMatchObject({ sequence: 2 });
    expect(() => requestCapture(asked, 1500n, false, NOW)).toThrow(
      expect.objectContaining({
        reason: 'AMOUNT_TOO_HIGH',
        metadata: { orderId: 'order-1', asked: '1500', left: '1499' },
      }),
    );
  });

  it.each([
    ['processing', opened, 0n],
    ['declined', declined, 0n],
    ['voided', voided, 0n],
    ['captured, in part once more', captured, 1n],
    ['refunded', refunded, 0n],
    ['called off', cancelled(authorized), 0n],
    ['let go', { ...authorized, lapsed: true }, 0n],
    ['being captured for good', { ...authorized, captures: [aCapture({ amount: 500n })] }, 0n],
  ])('is refused where it is %s', (_name, payment: Payment, amount) => {
    expect(() => requestCapture(payment, amount, false, NOW)).toThrow("can't be captured");
  });
});

describe('asking for a refund', () => {
  it('gives back all that is left', () => {
    expect(requestRefund(captured, 0n, 'too small', FRESH)).toMatchObject({
      refundId: 'refund-1',
      amount: 1999n,
      reason: 'too small',
      state: 'PROCESSING',
    });
  });

  it('is capped by what was not asked for yet; what failed is free again (F48)', () => {
    const asked = { ...captured, refunds: [aRefund({ amount: 1500n }), aRefund({ refundId: 'x', state: 'FAILED' })] };
    expect(amountToRefund(asked)).toBe(499n);
    expect(requestRefund(asked, 499n, '', FRESH)).toMatchObject({ amount: 499n });
    expect(() => requestRefund(asked, 500n, '', FRESH)).toThrow(
      expect.objectContaining({
        reason: 'AMOUNT_TOO_HIGH',
        metadata: { orderId: 'order-1', asked: '500', left: '499' },
      }),
    );
  });

  it.each([
    ['authorised alone', authorized],
    ['voided', voided],
    ['refunded', refunded],
    ['called off', cancelled(captured)],
    ['being refunded', { ...captured, refunds: [aRefund()] }],
  ])('is refused where it is %s', (_name, payment: Payment) => {
    expect(() => requestRefund(payment, 0n, '', FRESH)).toThrow(
      expect.objectContaining({ reason: 'PAYMENT_NOT_REFUNDABLE' }),
    );
  });
});
