import { DomainError } from '@souk/errors';
import type { Hold_State } from '@souk/proto/inventory/v1';
import { Payment, type Payment_State } from '@souk/proto/payments/v1';
import { ANY_TIME, confirmedOrder, pendingOrder } from '../test/order-builder.js';
import { CheckoutSaga, NotYetKnown, SagaTakenOver, type PaymentPort, type StockPort } from './checkout-saga.js';
import { cancelOrder, type Change, type Order } from './domain/order.js';
import { toOrderMessage } from './orders.messages.js';

const EPOCH = 1;

/** The saga with its neighbours' answers given; `did` lists what it asked of them and what it wrote, in order. */
function sagaWith(answers: {
  hold?: Hold_State;
  payment?: Payment_State | Error;
  retryTime?: Date;
  cancelled?: Payment_State;
  released?: Hold_State;
  meanwhile?: (order: Order) => Order;
  epoch?: number;
}) {
  const did: string[] = [];
  let stored = pendingOrder();
  const stock: StockPort = {
    holdStock: async () => {
      did.push('hold');
      const state = answers.hold ?? 'STATE_HELD';
      return { state, shortages: state === 'STATE_REFUSED' ? [{ sku: 'LAMP-BRASS', requested: 1, available: 0 }] : [] };
    },
    releaseStock: async () => {
      did.push('release');
      return { state: answers.released ?? 'STATE_RELEASED' };
    },
  };
  const payments: PaymentPort = {
    authorizePayment: async () => {
      did.push('authorize');
      if (answers.meanwhile) stored = answers.meanwhile(stored);
      const state = answers.payment ?? 'STATE_AUTHORIZED';
      if (state instanceof Error) throw state;
      const declineCode = state === 'STATE_DECLINED' ? 'insufficient_funds' : '';
      return { payment: Payment.fromPartial({ state, declineCode, retryTime: answers.retryTime }) };
    },
    cancelPayment: async () => {
      did.push('give back');
      return { payment: Payment.fromPartial({ state: answers.cancelled ?? 'STATE_VOIDED' }) };
    },
  };
  const orders = {
    get: async () => stored,
    saveStep: async ({ order }: Change, epoch: number) => {
      if (epoch !== (answers.epoch ?? EPOCH) || order.version !== stored.version + 1) return false;
      stored = order;
      did.push(`${order.state} ${order.phase}`);
      return true;
    },
  };
  const saga = new CheckoutSaga(orders, stock, payments, () => ANY_TIME);
  const run = (order: Order = stored) => {
    stored = order;
    return saga.run({ order, epoch: EPOCH, failures: 0, faults: 0 });
  };
  return { run, did };
}

describe('given stock and a good card', () => {
  it('holds, authorises and confirms', async () => {
    const { run, did } = sagaWith({});
    const order = await run();
    expect(did).toEqual(['hold', 'authorize', 'CONFIRMED DONE']);
    expect(order.timeline.map(({ kind }) => kind)).toEqual(['PLACED', 'STOCK_HELD', 'PAYMENT_AUTHORIZED', 'CONFIRMED']);
  });
});

describe('given too little stock', () => {
  it('rejects the order and touches no money', async () => {
    const { run, did } = sagaWith({ hold: 'STATE_REFUSED' });
    const order = await run();
    expect(did).toEqual(['hold', 'REJECTED DONE']);
    expect(order.rejection).toMatchObject({ reason: 'STOCK_SHORT', shortages: [{ sku: 'LAMP-BRASS', available: 0 }] });
  });
});

describe('given a declined card', () => {
  it('rejects the order and then releases the hold', async () => {
    const { run, did } = sagaWith({ payment: 'STATE_DECLINED', cancelled: 'STATE_DECLINED' });
    const order = await run();
    expect(did).toEqual(['hold', 'authorize', 'REJECTED UNDO', 'give back', 'release', 'REJECTED DONE']);
    expect(order.rejection).toMatchObject({ reason: 'PAYMENT_DECLINED', declineCode: 'insufficient_funds' });
  });
});

describe('given too many declined cards', () => {
  it('rejects the order, says until when, and releases the hold', async () => {
    const retryTime = new Date('2030-01-02T03:04:05.678Z');
    const { run, did } = sagaWith({ payment: 'STATE_DECLINED', retryTime, cancelled: 'STATE_DECLINED' });
    const order = await run();
    expect(did).toEqual(['hold', 'authorize', 'REJECTED UNDO', 'give back', 'release', 'REJECTED DONE']);
    const refused = { reason: 'PAYMENT_ATTEMPTS_EXCEEDED', retryTime: '2030-01-02T03:04:05.678Z' };
    expect(order.rejection).toMatchObject(refused);
    expect(toOrderMessage(order).rejection).toMatchObject({ reason: refused.reason, retryTime });
  });
});

describe('given an answer that is not known', () => {
  it('decides nothing and wants to be run again (F22, F40)', async () => {
    const processing = sagaWith({ payment: 'STATE_PROCESSING' });
    await expect(processing.run()).rejects.toThrow(NotYetKnown);
    expect(processing.did).toEqual(['hold', 'authorize']);

    const away = sagaWith({
      payment: new DomainError({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE', message: '' }),
    });
    await expect(away.run()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(away.did).toEqual(['hold', 'authorize']);
  });

  it('does not release the stock before the money is known to be back', async () => {
    const cancelled = cancelOrder(confirmedOrder(), ANY_TIME).order;
    const { run, did } = sagaWith({ cancelled: 'STATE_PROCESSING' });
    await expect(run(cancelled)).rejects.toThrow(NotYetKnown);
    expect(did).toEqual(['give back']);
  });
});

describe('given a cancellation', () => {
  it('gives payment and stock of a confirmed order back', async () => {
    const { run, did } = sagaWith({});
    const order = await run(cancelOrder(confirmedOrder(), ANY_TIME).order);
    expect(did).toEqual(['give back', 'release', 'CANCELLED DONE']);
    expect(order.timeline.map(({ kind }) => kind).slice(-2)).toEqual(['PAYMENT_RETURNED', 'STOCK_RELEASED']);
  });

  it('cancels before anything is begun, also where the steps it undoes come later (F24)', async () => {
    const { run, did } = sagaWith({});
    await run(cancelOrder(pendingOrder(), ANY_TIME).order);
    expect(did).toEqual(['CANCELLED UNDO', 'give back', 'release', 'CANCELLED DONE']);
  });

  it('cancels instead of confirming where it came in the middle', async () => {
    const { run, did } = sagaWith({ meanwhile: (order) => cancelOrder(order, ANY_TIME).order });
    await run();
    expect(did).toEqual(['hold', 'authorize', 'CANCELLED UNDO', 'give back', 'release', 'CANCELLED DONE']);
  });
});

describe('given an answer that does not say what became of stock or money', () => {
  it.each([
    ['hold', { hold: 'STATE_UNSPECIFIED' }],
    ['authorisation', { payment: 'STATE_UNSPECIFIED' }],
  ] as const)('decides nothing about a %s', async (_, answers) => {
    const { run, did } = sagaWith(answers);
    await expect(run()).rejects.toThrow('STATE_UNSPECIFIED');
    expect(did).not.toContainEqual(expect.stringContaining('DONE'));
  });

  it.each([
    ['authorised', { cancelled: 'STATE_AUTHORIZED' }],
    ['captured', { cancelled: 'STATE_CAPTURED' }],
    ['held', { released: 'STATE_HELD' }],
    ['sold', { released: 'STATE_SOLD' }],
  ] as const)('does not call undone what is still %s (F23)', async (_, answers) => {
    const { run, did } = sagaWith(answers);
    await expect(run(cancelOrder(confirmedOrder(), ANY_TIME).order)).rejects.toThrow('STATE_');
    expect(did).not.toContain('CANCELLED DONE');
  });
});

describe('given a payment that somebody else called off before the order was confirmed', () => {
  it.each(['STATE_VOIDED', 'STATE_REFUNDED'] as const)('cancels the order when it is %s', async (payment) => {
    const { run, did } = sagaWith({ payment });
    const order = await run();
    expect(did).toEqual(['hold', 'authorize', 'CANCELLED UNDO', 'give back', 'release', 'CANCELLED DONE']);
    expect(order.timeline.map(({ kind }) => kind)).toContain('PAYMENT_LOST');
  });
});

describe('given a hold that was ended by hand', () => {
  it('cancels the order and asks for no money', async () => {
    const { run, did } = sagaWith({ hold: 'STATE_RELEASED' });
    await run();
    expect(did).toEqual(['hold', 'CANCELLED UNDO', 'give back', 'release', 'CANCELLED DONE']);
  });
});

describe('given that its units were sold already', () => {
  it('confirms the order: it had been confirmed before its database was restored (F73)', async () => {
    const { run, did } = sagaWith({ hold: 'STATE_SOLD', payment: 'STATE_CAPTURED' });
    await run();
    expect(did).toEqual(['hold', 'authorize', 'CONFIRMED DONE']);
  });
});

describe('given that another process took the saga over', () => {
  it('writes nothing more (F20)', async () => {
    const { run, did } = sagaWith({ epoch: EPOCH + 1 });
    await expect(run()).rejects.toThrow(SagaTakenOver);
    expect(did).toEqual(['hold', 'authorize']);
  });

  it.each([{ hold: 'STATE_RELEASED' }, { payment: 'STATE_VOIDED' }, { hold: 'STATE_SOLD' }] as const)(
    'writes nothing where the other one was here before: %j (F20)',
    async (answers) => {
      const { run, did } = sagaWith({ ...answers, epoch: EPOCH + 1 });
      await expect(run()).rejects.toThrow(SagaTakenOver);
      expect(did).not.toContainEqual(expect.stringMatching(/DONE|UNDO/));
    },
  );
});
