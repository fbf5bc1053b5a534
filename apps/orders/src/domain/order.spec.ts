import { ANY_TIME, confirmedOrder, newOrder, pendingOrder } from '../../test/order-builder.js';
import {
  cancelOrder,
  cancelSettling,
  confirmOrder,
  finishUndo,
  fulfillOrder,
  losePayment,
  placeOrder,
  refundOrder,
  rejectOrder,
  undoAgain,
} from './order.js';
import { paymentDeclined, stockShort } from './rejections.js';

const LATER = new Date('2026-03-01T10:05:00.000Z');
const SHORT = stockShort([{ sku: 'LAMP-BRASS', requested: 1, available: 0 }]);
const kinds = (order: { timeline: readonly { kind: string }[] }) => order.timeline.map(({ kind }) => kind);

describe('placing an order', () => {
  it('acknowledges it with the sum of its lines', () => {
    const { order, events } = placeOrder(newOrder(), ANY_TIME);
    expect(order).toMatchObject({ state: 'PENDING', phase: 'CHECKOUT', version: 1, createTime: ANY_TIME });
    expect(order.total).toEqual({ amount: 21_498n, currency: 'USD' });
    expect(events).toEqual([{ kind: 'OrderPlaced', order }]);
  });
});

describe('confirming an order', () => {
  it('ends its checkout, tells what was done, and forgets the card', () => {
    const { order, events } = confirmOrder(pendingOrder(), [{ kind: 'STOCK_HELD', time: ANY_TIME }], LATER);
    expect(order).toMatchObject({ state: 'CONFIRMED', phase: 'DONE', version: 2, updateTime: LATER });
    expect(kinds(order)).toEqual(['PLACED', 'STOCK_HELD', 'CONFIRMED']);
    expect(order.payment).toMatchObject({ token: '', clientDigest: '' });
    expect(events).toEqual([{ kind: 'OrderConfirmed', order }]);
  });

  it('cancels it instead where the customer called it off meanwhile', () => {
    const calledOff = cancelOrder(pendingOrder(), ANY_TIME).order;
    const { order, events } = confirmOrder(calledOff, [], LATER);
    expect(order).toMatchObject({ state: 'CANCELLED', phase: 'UNDO' });
    expect(events.map(({ kind }) => kind)).toEqual(['OrderCancelled']);
  });

  it('is a bug for an order that was refused', () => {
    const rejected = rejectOrder(pendingOrder(), SHORT, [], LATER).order;
    expect(() => confirmOrder(rejected, [], LATER)).toThrow('REJECTED to CONFIRMED');
  });
});

describe('rejecting an order', () => {
  it('leaves nothing to undo where stock was short', () => {
    const { order, events } = rejectOrder(pendingOrder(), SHORT, [], LATER);
    expect(order).toMatchObject({ state: 'REJECTED', phase: 'DONE', rejection: SHORT });
    expect(kinds(order)).toEqual(['PLACED', 'STOCK_SHORT', 'REJECTED']);
    expect(events).toEqual([{ kind: 'OrderRejected', order }]);
  });

  it('leaves the hold to release where the card was declined', () => {
    const { order } = rejectOrder(pendingOrder(), paymentDeclined('insufficient_funds'), [], LATER);
    expect(order).toMatchObject({ state: 'REJECTED', phase: 'UNDO' });
    const undone = finishUndo(order, [], LATER).order;
    expect(undone).toMatchObject({ state: 'REJECTED', phase: 'DONE', version: 3 });
    expect(() => finishUndo(undone, [], LATER)).toThrow('nothing to undo');
  });
});

describe('cancelling an order', () => {
  it('is only noted before its outcome is known', () => {
    const { order, events } = cancelOrder(pendingOrder(), LATER);
    expect(order).toMatchObject({ state: 'PENDING', cancelRequested: true, version: 2 });
    expect(events).toEqual([]);
    expect(cancelSettling(order, [], LATER).order).toMatchObject({ state: 'CANCELLED', phase: 'UNDO' });
  });

  it('happens at once after that, and leaves everything to give back', () => {
    const { order, events } = cancelOrder(confirmedOrder(), LATER);
    expect(order).toMatchObject({ state: 'CANCELLED', phase: 'UNDO' });
    expect(events).toEqual([{ kind: 'OrderCancelled', order }]);
  });

  it('changes nothing when repeated', () => {
    const noted = cancelOrder(pendingOrder(), LATER).order;
    const cancelled = cancelOrder(confirmedOrder(), LATER).order;
    expect(cancelOrder(noted, LATER)).toEqual({ order: noted, events: [] });
    expect(cancelOrder(cancelled, LATER)).toEqual({ order: cancelled, events: [] });
  });

  it('is refused once the goods are on their way, or when there is nothing to cancel', () => {
    const fulfilled = fulfillOrder(confirmedOrder(), '', LATER).order;
    const rejected = rejectOrder(pendingOrder(), SHORT, [], LATER).order;
    for (const order of [fulfilled, rejected]) {
      expect(() => cancelOrder(order, LATER)).toThrow(expect.objectContaining({ reason: 'ORDER_NOT_CANCELLABLE' }));
    }
  });
});

describe('undoing an order again', () => {
  it('gives back once more what one that ended may hold, and leaves all others alone', () => {
    const cancelled = finishUndo(cancelOrder(confirmedOrder(), LATER).order, [], LATER).order;
    const { order, events } = undoAgain(cancelled, LATER);
    expect(order).toMatchObject({ state: 'CANCELLED', phase: 'UNDO', version: cancelled.version + 1 });
    expect(events).toEqual([]);
    for (const other of [order, confirmedOrder(), pendingOrder()]) {
      expect(undoAgain(other, LATER)).toEqual({ order: other, events: [] });
    }
  });
});

describe('fulfilling an order', () => {
  it('tells the tracking number, once', () => {
    const { order, events } = fulfillOrder(confirmedOrder(), 'DHL 42', LATER);
    expect(order.state).toBe('FULFILLED');
    expect(events).toEqual([{ kind: 'OrderFulfilled', order, tracking: 'DHL 42' }]);
    expect(fulfillOrder(order, 'DHL 43', LATER)).toEqual({ order, events: [] });
  });

  it('is refused before the order is confirmed', () => {
    expect(() => fulfillOrder(pendingOrder(), '', LATER)).toThrow(
      expect.objectContaining({ reason: 'ORDER_NOT_FULFILLABLE' }),
    );
  });
});

describe('losing the payment', () => {
  it('cancels a confirmed order and leaves its stock to give back', () => {
    const { order, events } = losePayment(confirmedOrder(), LATER);
    expect(order).toMatchObject({ state: 'CANCELLED', phase: 'UNDO' });
    expect(kinds(order).slice(-2)).toEqual(['PAYMENT_LOST', 'CANCELLED']);
    expect(events).toEqual([{ kind: 'OrderCancelled', order }]);
    expect(losePayment(order, LATER)).toEqual({ order, events: [] });
  });

  it('leaves an order that is being settled to its saga, which then cancels it', () => {
    const { order, events } = losePayment(pendingOrder(), LATER);
    expect(order).toMatchObject({ state: 'PENDING', cancelRequested: true, version: 2 });
    expect(events).toEqual([]);
    expect(confirmOrder(order, [], LATER).order.state).toBe('CANCELLED');
    expect(losePayment(order, LATER)).toEqual({ order, events: [] });
  });

  it('is the own doing of an order that gives its money back, and too late for one that was sent off', () => {
    const rejected = rejectOrder(pendingOrder(), paymentDeclined('expired_card'), [], LATER).order;
    const cancelled = cancelOrder(confirmedOrder(), LATER).order;
    const sent = fulfillOrder(confirmedOrder(), '', LATER).order;
    for (const order of [rejected, cancelled, sent]) expect(losePayment(order, LATER)).toEqual({ order, events: [] });
  });
});

describe('refunding an order', () => {
  const part = { refundedAmount: 4_299n, everything: false };
  const all = { refundedAmount: 21_498n, everything: true };

  it('makes one that was sent off REFUNDED, and grows from there', () => {
    const sent = fulfillOrder(confirmedOrder(), '', LATER).order;
    const { order, events } = refundOrder(sent, part, LATER);
    expect(order).toMatchObject({ state: 'REFUNDED', refundedAmount: 4_299n });
    expect(events).toEqual([{ kind: 'OrderRefunded', order }]);
    const more = refundOrder(order, all, LATER);
    expect(more.order).toMatchObject({ state: 'REFUNDED', refundedAmount: 21_498n, version: order.version + 1 });
    expect(more.events.map(({ kind }) => kind)).toEqual(['OrderRefunded']);
  });

  it('changes nothing when repeated, or when older news come later', () => {
    const sent = fulfillOrder(confirmedOrder(), '', LATER).order;
    const refunded = refundOrder(sent, all, LATER).order;
    for (const news of [all, part]) expect(refundOrder(refunded, news, LATER)).toEqual({ order: refunded, events: [] });
  });

  it('lets a confirmed order go on with a part of its money, and cancels it without any', () => {
    const { order, events } = refundOrder(confirmedOrder(), part, LATER);
    expect(order).toMatchObject({ state: 'CONFIRMED', refundedAmount: 4_299n });
    expect(events).toEqual([{ kind: 'OrderRefunded', order }]);
    expect(fulfillOrder(order, '', LATER).order.state).toBe('FULFILLED');
    const { order: lost } = refundOrder(order, all, LATER);
    expect(lost).toMatchObject({ state: 'CANCELLED', phase: 'UNDO', refundedAmount: 21_498n });
    expect(kinds(lost)).toContain('PAYMENT_LOST');
  });

  it('only notes what a cancelled order gave back by itself', () => {
    const cancelled = cancelOrder(confirmedOrder(), LATER).order;
    const { order, events } = refundOrder(cancelled, all, LATER);
    expect(order).toMatchObject({ state: 'CANCELLED', phase: 'UNDO', refundedAmount: 21_498n });
    expect(events).toEqual([]);
  });

  it('never gives back more than was paid', () => {
    const sent = fulfillOrder(confirmedOrder(), '', LATER).order;
    expect(() => refundOrder(sent, { refundedAmount: 21_499n, everything: true }, LATER)).toThrow('21499 of 21498');
  });
});
