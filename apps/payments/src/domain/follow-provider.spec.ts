import { aCapture, aPayment, aRefund, aView, NOW } from '../../test/payment-builder.js';
import { followProvider, isOldNews, strayMoney, type News, type ProviderRefund } from './follow-provider.js';
import { authorizePayment, capturePart, declinePayment, refundPart, voidInAdvance, voidPayment } from './payment.js';

const LATER = new Date('2030-01-02T03:05:00Z');

const opened = aPayment('order-1', 'payment-1');
const authorized = authorizePayment(opened, 'pi_1', NOW).payment;
const part = aCapture({ amount: 500n, final: false });
const captured = capturePart(authorized, aCapture(), true, NOW).payment;
const declined = declinePayment(opened, 'pi_1', 'insufficient_funds', NOW).payment;
const voided = voidPayment(authorized, NOW).payment;
const refunded = refundPart(captured, aRefund(), NOW).payment;

const captureView = (capturedAmount = 1999n, refunds: ProviderRefund[] = []) =>
  aView('captured', { capturedAmount, refunds });
const back = (amount: bigint, differs: Partial<ProviderRefund> = {}): ProviderRefund => ({
  refundId: 'made-there',
  reference: 're_1',
  amount,
  state: 'SUCCEEDED',
  ...differs,
});

describe('following the provider', () => {
  it('catches up over several states at once', () => {
    const { payment, events } = followProvider(opened, captureView(1999n, [back(1999n)]), LATER);
    expect(payment).toMatchObject({ state: 'REFUNDED', version: 4, providerReference: 'pi_1' });
    expect(events.map(({ kind }) => kind)).toEqual(['PaymentAuthorized', 'PaymentCaptured', 'PaymentRefunded']);
    expect(events.map((event) => event.payment.version)).toEqual([2, 3, 4]);
  });

  it('is not taken back by old news (F44)', () => {
    for (const old of [aView('authorized'), captureView(500n)]) {
      for (const payment of [captured, refunded, voided, declined]) {
        expect(followProvider(payment, old, LATER)).toEqual({ payment, events: [] });
      }
    }
    expect(followProvider(captured, aView('voided'), LATER).payment).toBe(captured);
  });

  it('notes that an authorisation ended at the provider (F51)', () => {
    expect(followProvider(authorized, aView('voided'), LATER).payment.state).toBe('VOIDED');
    const inPart = capturePart(authorized, part, false, NOW).payment;
    expect(followProvider(inPart, captureView(500n), LATER).payment).toMatchObject({
      state: 'CAPTURED',
      capturedAmount: 500n,
    });
  });

  it('declines what its owner never confirmed (F54)', () => {
    const view = aView('declined', { code: 'authentication_required' });
    expect(followProvider(opened, view, LATER).payment).toMatchObject({
      state: 'DECLINED',
      declineCode: 'authentication_required',
    });
  });

  it('follows neither another intent of the same order nor one about another amount (F47, F53)', () => {
    expect(followProvider(authorized, { ...captureView(), reference: 'pi_2' }, LATER).payment).toBe(authorized);
    for (const amount of [
      { amount: 2000n, currency: 'USD' },
      { amount: 1999n, currency: 'EUR' },
    ]) {
      expect(followProvider(opened, aView('authorized', { amount }), LATER).payment).toBe(opened);
    }
  });

  it('notes disputes, and leaves them alone where the view does not say (F52)', () => {
    const disputed = followProvider(captured, { ...captureView(), disputedAmount: 500n }, LATER);
    expect(disputed).toMatchObject({ payment: { disputedAmount: 500n }, events: [{ kind: 'PaymentDisputed' }] });
    expect(followProvider(disputed.payment, captureView(), LATER).events).toEqual([]);
  });
});

describe('what was taken', () => {
  it('belongs to the captures that were asked for, in their sequence (F48)', () => {
    const asked = { ...authorized, captures: [part, aCapture({ sequence: 2, amount: 700n, final: false })] };
    const first = followProvider(asked, aView('authorized', { capturedAmount: 500n }), LATER);
    expect(first.events).toMatchObject([{ kind: 'PaymentCaptured', capture: { sequence: 1, amount: 500n } }]);
    const both = followProvider(asked, aView('authorized', { capturedAmount: 1200n }), LATER);
    expect(both.payment).toMatchObject({ state: 'AUTHORIZED', capturedAmount: 1200n });
    expect(both.payment.captures.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  it('is put on record where nobody here asked for it', () => {
    const asked = { ...authorized, captures: [part] };
    const { payment, events } = followProvider(asked, captureView(300n), LATER);
    expect(payment).toMatchObject({ state: 'CAPTURED', capturedAmount: 300n });
    expect(payment.captures).toMatchObject([{ state: 'FAILED' }, { sequence: 2, amount: 300n, state: 'SUCCEEDED' }]);
    expect(events).toHaveLength(1);
  });

  it('is not a final capture while more could be taken', () => {
    const asked = { ...authorized, captures: [aCapture({ amount: 500n })] };
    const { payment } = followProvider(asked, aView('authorized', { capturedAmount: 500n }), LATER);
    expect(payment.captures).toMatchObject([{ state: 'PROCESSING' }, { amount: 500n, state: 'SUCCEEDED' }]);
  });
});

describe('what went back', () => {
  it('belongs to the refund that the provider was told of, whatever came of it', () => {
    const asked = { ...captured, refunds: [aRefund({ refundId: 'r', amount: 500n })] };
    const seen = (state: ProviderRefund['state']) =>
      followProvider(asked, captureView(1999n, [back(500n, { refundId: 'r', state })]), LATER);
    expect(seen('SUCCEEDED')).toMatchObject({
      payment: { refundedAmount: 500n },
      events: [{ kind: 'PaymentRefunded' }],
    });
    expect(seen('FAILED').payment).toMatchObject({ refundedAmount: 0n, refunds: [{ state: 'FAILED' }] });
    expect(seen('PROCESSING').payment).toMatchObject({
      version: 3,
      refunds: [{ state: 'PROCESSING', reference: 're_1' }],
    });
  });

  it('is put on record, once, where nobody here asked for it', () => {
    const view = captureView(1999n, [back(500n)]);
    const { payment, events } = followProvider(captured, view, LATER);
    expect(payment).toMatchObject({ refundedAmount: 500n, refunds: [{ refundId: 'made-there', state: 'SUCCEEDED' }] });
    expect(events).toMatchObject([{ kind: 'PaymentRefunded', refund: { amount: 500n } }]);
    expect(followProvider(payment, view, LATER)).toEqual({ payment, events: [] });
    expect(followProvider(captured, captureView(1999n, [back(5n, { state: 'FAILED' })]), LATER).payment).toBe(captured);
  });

  it('is never more than was taken (F48)', () => {
    const inPart = capturePart(authorized, aCapture({ amount: 500n }), true, NOW).payment;
    expect(followProvider(inPart, captureView(500n, [back(1499n)]), LATER).payment.refundedAmount).toBe(0n);
  });
});

describe('stray money', () => {
  it('is money at the provider for a payment that is over (F24)', () => {
    expect(strayMoney(voided, aView('authorized'))).toBe('void');
    expect(strayMoney(declined, captureView())).toBe('refund');
    expect(strayMoney(voided, captureView(1999n, [back(1999n)]))).toBeUndefined();
    expect(strayMoney(voidInAdvance('o', 'p', NOW).payment, aView('authorized'))).toBe('void');
  });

  it('is money of a second intent, or of one about another amount (F47, F53)', () => {
    expect(strayMoney(authorized, aView('authorized', { reference: 'pi_2' }))).toBe('void');
    expect(strayMoney(captured, { ...captureView(), reference: 'pi_2' })).toBe('refund');
    expect(strayMoney(opened, aView('authorized', { amount: { amount: 5n, currency: 'USD' } }))).toBe('void');
  });

  it('is not the money of the payment itself', () => {
    expect(strayMoney(authorized, aView('authorized'))).toBeUndefined();
    expect(strayMoney(opened, aView('authorized'))).toBeUndefined();
    expect(strayMoney(captured, captureView())).toBeUndefined();
  });
});

describe('old news', () => {
  const news = (says: News['says'], amount = 0n, reference = 'pi_1'): News => ({ says, amount, reference });

  it('are what the payment did itself', () => {
    expect(isOldNews(authorized, news('authorized'))).toBe(true);
    expect(isOldNews(captured, news('authorized'))).toBe(true);
    expect(isOldNews(captured, news('captured', 1999n))).toBe(true);
    expect(isOldNews(refunded, news('refunded', 1999n))).toBe(true);
    expect(isOldNews(voided, news('voided'))).toBe(true);
    expect(isOldNews(declined, news('declined'))).toBe(true);
  });

  it('are not what it has not heard of, nor what concerns another intent', () => {
    expect(isOldNews(opened, news('authorized'))).toBe(false);
    expect(isOldNews(declined, news('authorized'))).toBe(false);
    expect(isOldNews(authorized, news('captured', 1999n))).toBe(false);
    expect(isOldNews(authorized, news('authorized', 500n))).toBe(false);
    expect(isOldNews(captured, news('refunded', 500n))).toBe(false);
    expect(isOldNews(authorized, news('voided'))).toBe(false);
    expect(isOldNews(authorized, news('authorized', 0n, 'pi_2'))).toBe(false);
  });
});
