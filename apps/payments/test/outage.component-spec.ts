import { randomUUID } from 'node:crypto';
import { eventually, tcpProxy, type TcpProxy } from '@souk/testing';
import { PaymentsUnderTest } from './payments-under-test.js';

let shop: PaymentsUnderTest;
let proxy: TcpProxy;

beforeAll(async () => {
  const through = async (pspUrl: string) => {
    proxy = await tcpProxy(pspUrl);
    return new URL(proxy.url).origin;
  };
  shop = await PaymentsUnderTest.start({ through });
});
afterAll(async () => {
  await shop.stop();
  await proxy.close();
});

it('waits for a provider that is away, and then does all that was asked meanwhile, once (F50)', async () => {
  const [captured, refunded, cancelled] = [await shop.authorizedOrder(), await shop.capturedOrder(), randomUUID()];
  await proxy.cut();
  const authorized = randomUUID();
  expect((await shop.authorize(authorized)).payment?.state).toBe('STATE_PROCESSING');
  expect((await shop.authorize(cancelled)).payment?.state).toBe('STATE_PROCESSING');
  expect((await shop.orders.cancelPayment({ orderId: cancelled })).payment?.state).toBe('STATE_PROCESSING');
  expect((await shop.capture(captured.orderId)).payment?.captures).toMatchObject([{ done: false }]);
  const { refund } = await shop.refund(refunded.orderId, { amount: 500n });
  expect(refund?.state).toBe('STATE_PROCESSING');
  await proxy.mend();
  await eventually(
    async () => {
      expect(await shop.stateOf(authorized)).toBe('STATE_AUTHORIZED');
      expect(await shop.stateOf(cancelled)).toBe('STATE_VOIDED');
      expect(await shop.stateOf(captured.orderId)).toBe('STATE_CAPTURED');
      expect(await shop.paymentOf(refunded.orderId)).toMatchObject({ refundedAmount: 500n });
    },
    { timeoutMs: 20_000 },
  );
  for (const orderId of [authorized, cancelled, captured.orderId, refunded.orderId]) {
    expect((await shop.psp.booksOf(orderId)).charges).toHaveLength(1);
  }
  expect((await shop.psp.booksOf(refunded.orderId)).refunds).toMatchObject([{ amount: 500 }]);
});
