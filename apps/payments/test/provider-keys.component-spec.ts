import { randomUUID } from 'node:crypto';
import { eventually } from '@souk/testing';
import { keylessProxy, type KeylessProxy } from './keyless-proxy.js';
import { PaymentsUnderTest } from './payments-under-test.js';

let shop: PaymentsUnderTest;
let proxy: KeylessProxy;

beforeAll(async () => {
  const through = async (pspUrl: string) => {
    proxy = await keylessProxy(pspUrl);
    return proxy.url;
  };
  shop = await PaymentsUnderTest.start({ through });
});
afterAll(async () => {
  await shop.stop();
  proxy.close();
});

/** What the provider's books hold after a charge, and a refund of a part, whose first answers were lost. */
async function movedWithAnswersLost() {
  const orderId = randomUUID();
  await shop.psp.addFault({ kind: 'timeout_after_charge', next: 1, operation: 'create' });
  await shop.authorize(orderId);
  await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED'));
  await shop.capture(orderId);
  await shop.psp.addFault({ kind: 'timeout_after_charge', next: 1, operation: 'refund' });
  await shop.refund(orderId, { amount: 500n });
  await eventually(async () => {
    const { refunds } = await shop.paymentOf(orderId);
    expect(refunds[0]?.state).toBe('STATE_SUCCEEDED');
  });
  const { charges, refunds } = await shop.psp.booksOf(orderId);
  return { charges: charges.length, refunds: refunds.map(({ amount }) => amount) };
}

it('moves money once by its keys, though answers are lost (F40)', async () => {
  expect(await movedWithAnswersLost()).toEqual({ charges: 1, refunds: [500] });
});

it('would move it twice without them: the keys bear the load', async () => {
  await shop.psp.addFault({ kind: 'lost_webhook', rate: 1 });
  proxy.takeKeys = true;
  expect(await movedWithAnswersLost()).toEqual({ charges: 2, refunds: [500, 500] });
});
