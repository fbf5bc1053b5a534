import {
  authorizePayment,
  capturePayment,
  declinePayment,
  followProvider,
  isOldNews,
  nextStep,
  openPayment,
  refundPayment,
  requireCapturable,
  requireSameTerms,
  strayMoney,
  voidInAdvance,
  voidPayment,
  type Payment,
  type ProviderView,
} from './payment.js';

const NOW = new Date('2030-01-02T03:04:05Z');
const LATER = new Date('2030-01-02T03:05:00Z');
const TERMS = { orderId: 'order-1', amount: { amount: 1999n, currency: 'USD' }, method: 'card' } as const;

const opened = openPayment(TERMS, 'payment-1', NOW);
const authorized = authorizePayment(opened, 'pi_1', NOW).payment;
const captured = capturePayment(authorized, 1999n, NOW).payment;
const declined = declinePayment(opened, 'pi_1', 'insufficient_funds', NOW).payment;
const voided = voidPayment(authorized, NOW).payment;
const refunded = refundPayment(captured, 1999n, NOW).payment;

const view = (outcome: 'authorized' | 'voided', reference = 'pi_1'): ProviderView => ({ outcome, reference });
const captureView = (refundedAmount = 0n, reference = 'pi_1'): ProviderView => ({
  outcome: 'captured',
  reference,
  capturedAmount: 1999n,
  refundedAmount,
});

describe('transitions', () => {
  it('tells each fact with the payment as it was right after it', () => {
    const { payment, events } = authorizePayment(opened, 'pi_1', LATER);
    expect(payment).toMatchObject({ state: 'AUTHORIZED', providerReference: 'pi_1', version: 2, updateTime: LATER });
    expect(events).toEqual([{ kind: 'PaymentAuthorized', payment }]);
  });

  it('refuses what the table does not allow', () => {
    expect(() => capturePayment(opened, 1999n, NOW)).toThrow("PROCESSING can't become CAPTURED");
    expect(() => voidPayment(captured, NOW)).toThrow();
    expect(() => authorizePayment(voided, 'pi_1', NOW)).toThrow();
    expect(() => refundPayment(voided, 1999n, NOW)).toThrow();
  });

  it('stays CAPTURED while a part of the money went back', () => {
    const part = refundPayment(captured, 500n, LATER);
    expect(part).toMatchObject({ payment: { state: 'CAPTURED', refundedAmount: 500n, version: 4 }, events: [] });
    expect(refundPayment(part.payment, 1999n, LATER)).toMatchObject({
      payment: { state: 'REFUNDED', refundedAmount: 1999n },
      events: [{ kind: 'PaymentRefunded' }],
    });
  });

  it('voids a payment in advance, so that it is called off before it is asked for', () => {
    const { payment, events } = voidInAdvance('order-1', 'payment-1', NOW);
    expect(payment).toMatchObject({ state: 'VOIDED', amount: { amount: 0n }, method: 'none' });
    expect(events).toMatchObject([{ kind: 'PaymentVoided' }]);
    expect(() => requireSameTerms(payment, TERMS)).not.toThrow();
  });
});

describe('terms', () => {
  it.each([
    ['amount', { ...TERMS, amount: { amount: 2000n, currency: 'USD' } }],
    ['currency', { ...TERMS, amount: { amount: 1999n, currency: 'EUR' } }],
    ['method', { ...TERMS, method: 'manual' as const }],
  ])('refuses another %s for the same order', (_what, terms) => {
    expect(() => requireSameTerms(opened, terms)).toThrow('another amount or method');
  });

  it('lets money be taken that is set aside, and says so again when it was taken', () => {
    expect(() => requireCapturable(authorized)).not.toThrow();
    expect(() => requireCapturable(captured)).not.toThrow();
  });

  it.each([opened, declined, voided, refunded, { ...authorized, cancelRequested: true }])(
    'lets no money be taken of a payment that is $state',
    (payment) => {
      expect(() => requireCapturable(payment)).toThrow("can't be captured");
    },
  );
});

describe('the next step', () => {
  it.each<[string, Payment, string | undefined]>([
    ['asks for an answer that is not known', opened, 'authorize'],
    ['asks first what there is to void', { ...opened, cancelRequested: true }, 'authorize'],
    ['leaves money aside until somebody wants it', authorized, undefined],
    ['captures what is wanted', { ...authorized, captureRequested: true }, 'capture'],
    ['rather voids than captures', { ...authorized, captureRequested: true, cancelRequested: true }, 'void'],
    ['refunds what was taken', { ...captured, cancelRequested: true }, 'refund'],
    ['has nothing to do for a captured payment', { ...captured, captureRequested: true }, undefined],
    ['has nothing to do for a voided payment', { ...voided, cancelRequested: true }, undefined],
    ['has nothing to do for a declined payment', { ...declined, cancelRequested: true }, undefined],
    ['has nothing to do for a refunded payment', { ...refunded, cancelRequested: true }, undefined],
  ])('%s', (_name, payment, step) => expect(nextStep(payment)).toBe(step));
});

describe('following the provider', () => {
  it('catches up over several states at once', () => {
    const { payment, events } = followProvider(opened, captureView(1999n), LATER);
    expect(payment).toMatchObject({ state: 'REFUNDED', version: 4, providerReference: 'pi_1' });
    expect(events.map(({ kind }) => kind)).toEqual(['PaymentAuthorized', 'PaymentCaptured', 'PaymentRefunded']);
    expect(events.map((event) => event.payment.version)).toEqual([2, 3, 4]);
  });

  it('is not taken back by old news', () => {
    for (const old of [view('authorized'), captureView()]) {
      for (const payment of [captured, refunded, voided, declined]) {
        expect(followProvider(payment, old, LATER)).toEqual({ payment, events: [] });
      }
    }
    expect(followProvider(captured, view('voided'), LATER).payment).toBe(captured);
  });

  it('notes that an authorisation ended at the provider', () => {
    expect(followProvider(authorized, view('voided'), LATER).payment.state).toBe('VOIDED');
  });

  it('does not follow another intent of the same order', () => {
    expect(followProvider(authorized, captureView(0n, 'pi_2'), LATER).payment).toBe(authorized);
  });

  it('never reaches a state that the table does not allow, whatever the order of the news', () => {
    const news: ProviderView[] = [
      view('authorized'),
      view('voided'),
      captureView(),
      captureView(500n),
      captureView(1999n),
      { outcome: 'declined', reference: 'pi_1', code: 'x' },
    ];
    const seen = (payment: Payment, depth: number): void => {
      expect(payment.refundedAmount <= payment.capturedAmount).toBe(true);
      expect(payment.capturedAmount <= payment.amount.amount).toBe(true);
      if (depth > 0) news.forEach((view) => seen(followProvider(payment, view, NOW).payment, depth - 1));
    };
    seen(opened, 4);
  });
});

describe('stray money', () => {
  it('is money at the provider for a payment that is over', () => {
    expect(strayMoney(voided, view('authorized'))).toBe('void');
    expect(strayMoney(declined, captureView())).toBe('refund');
    expect(strayMoney(voided, captureView(1999n))).toBeUndefined();
  });

  it('is money of a second intent', () => {
    expect(strayMoney(authorized, view('authorized', 'pi_2'))).toBe('void');
    expect(strayMoney(captured, captureView(0n, 'pi_2'))).toBe('refund');
  });

  it('is not the money of the payment itself', () => {
    expect(strayMoney(authorized, view('authorized'))).toBeUndefined();
    expect(strayMoney(opened, view('authorized'))).toBeUndefined();
    expect(strayMoney(captured, captureView())).toBeUndefined();
  });
});

describe('old news', () => {
  it('are what the payment did itself', () => {
    expect(isOldNews(authorized, 'pi_1', 'authorized')).toBe(true);
    expect(isOldNews(captured, 'pi_1', 'authorized')).toBe(true);
    expect(isOldNews(refunded, 'pi_1', 'captured')).toBe(true);
    expect(isOldNews(voided, 'pi_1', 'voided')).toBe(true);
    expect(isOldNews(declined, 'pi_1', 'declined')).toBe(true);
  });

  it('are not what it has not heard of, nor what concerns another intent', () => {
    expect(isOldNews(opened, 'pi_1', 'authorized')).toBe(false);
    expect(isOldNews(declined, 'pi_1', 'authorized')).toBe(false);
    expect(isOldNews(authorized, 'pi_1', 'captured')).toBe(false);
    expect(isOldNews(authorized, 'pi_1', 'voided')).toBe(false);
    expect(isOldNews(authorized, 'pi_2', 'authorized')).toBe(false);
  });
});
