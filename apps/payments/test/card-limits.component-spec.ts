/** How many cards may be declined before the provider is not asked any more. */
import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { PaymentsUnderTest, type AuthorizationTerms } from './payments-under-test.js';

const DECLINED = 'pm_card_chargeDeclined';
const END_WINDOWS = sql('test.end_windows', `UPDATE card_tries SET ends_at = now() - interval '1 second'`);
const COUNTS = sql('test.counts', 'SELECT count FROM card_tries');

let shop: PaymentsUnderTest;
beforeAll(async () => (shop = await PaymentsUnderTest.start({ declines: { address: 4, card: 6, account: 3 } })));
afterAll(() => shop.stop());
afterEach(() => shop.psp.clearFaults());
beforeEach(() => shop.postgres.database.query(END_WINDOWS, []));

async function codeOf(terms: AuthorizationTerms): Promise<string | undefined> {
  return (await shop.authorize(randomUUID(), terms)).payment?.declineCode;
}

async function codesOf(times: number, terms: () => AuthorizationTerms): Promise<(string | undefined)[]> {
  const codes: (string | undefined)[] = [];
  for (let i = 0; i < times; i++) codes.push(await codeOf(terms()));
  return codes;
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

it.each([
  ['address', 4, { clientDigest: 'home' }, () => ({ token: 'pm_nobody_' + randomUUID() })],
  ['account', 3, { customerId: 'ada' }, () => ({ token: 'pm_nobody_' + randomUUID(), clientDigest: randomUUID() })],
  ['card', 6, { token: DECLINED }, () => ({ clientDigest: randomUUID(), customerId: randomUUID() })],
])('are so many per %s: %i, and others go on', async (_of, limit, same, others) => {
  const codes = await codesOf(limit + 2, () => ({ ...others(), ...same }));
  expect(codes.slice(0, limit)).not.toContain('attempts_exceeded');
  expect(codes.slice(limit)).toEqual(times(2, 'attempts_exceeded'));
  expect(await codeOf({ token: 'pm_card_visa', ...others(), ...('token' in same ? {} : same) })).toBe(
    'token' in same ? '' : 'attempts_exceeded',
  );
  expect(await codeOf({ token: 'pm_card_visa' })).toBe('');
});

it('are no more where many come at once, and the provider is asked no more often', async () => {
  const orders = times(30, '').map(() => randomUUID());
  const answers = await Promise.all(
    orders.map((orderId) => shop.authorize(orderId, { token: `pm_nobody_${orderId}`, clientDigest: 'crowd' })),
  );
  const refused = answers.filter(({ payment }) => payment?.declineCode === 'attempts_exceeded');
  expect(refused).toHaveLength(26);
  expect(answers.every(({ payment }) => payment?.state === 'STATE_DECLINED')).toBe(true);
  for (const { payment } of refused) {
    expect(payment?.providerReference).toBe('');
    expect((await shop.psp.booksOf(payment?.orderId ?? '')).intents).toEqual([]);
  }
});

it('are said to be too many in the same way however often the order asks, until when, and as an event', async () => {
  await codesOf(4, () => ({ token: `pm_nobody_${randomUUID()}`, clientDigest: 'again' }));
  const orderId = randomUUID();
  const { payment } = await shop.authorize(orderId, { clientDigest: 'again' });
  expect(payment).toMatchObject({ state: 'STATE_DECLINED', declineCode: 'attempts_exceeded' });
  const minutes = ((payment?.retryTime?.getTime() ?? 0) - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(58);
  expect(minutes).toBeLessThan(61);
  expect((await shop.authorize(orderId, { clientDigest: 'again' })).payment).toEqual(payment);
  expect((await shop.orders.cancelPayment({ orderId })).payment?.state).toBe('STATE_DECLINED');
  await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentDeclined']));
});

it('do not count cards that are taken, however many', async () => {
  const terms = { clientDigest: 'shopper', customerId: 'shopper' };
  expect(await codesOf(8, () => terms)).toEqual(times(8, ''));
  expect(await codesOf(3, () => ({ ...terms, token: `pm_nobody_${randomUUID()}` }))).not.toContain('attempts_exceeded');
  expect(await codeOf(terms)).toBe('attempts_exceeded');
});

it('count a card whose answer is not known, until it is', async () => {
  const slow = { token: 'pm_sandbox_slow_600', clientDigest: 'slow' };
  const codes = await Promise.all(times(6, slow).map(codeOf));
  expect(codes.filter((code) => code === 'attempts_exceeded')).toHaveLength(2);
  await eventually(async () => expect(await codeOf({ clientDigest: 'slow' })).toBe(''), { timeoutMs: 10_000 });
});

it('are forgotten with their window, and the rows go', async () => {
  const terms = () => ({ token: `pm_nobody_${randomUUID()}`, clientDigest: 'patient' });
  expect(await codesOf(5, terms)).toContain('attempts_exceeded');
  await shop.postgres.database.query(END_WINDOWS, []);
  expect(await codesOf(4, terms)).not.toContain('attempts_exceeded');
  await codesOf(4, () => ({ clientDigest: randomUUID() }));
  const rows = await shop.postgres.database.query(COUNTS, []);
  expect(rows.length).toBeLessThan(12);
});
