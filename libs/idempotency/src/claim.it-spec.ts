import { DomainError, type ErrorKind } from '@souk/errors';
import { Database, sql, type Transaction } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { commitCutter, eventually, testDatabase, type Cut, type TestDatabase } from '@souk/testing';
import { claimOnce, type Claim, type Claimed } from './claim.js';
import { ClaimsPruner } from './claims-pruner.js';

interface Receipt {
  receiptId: bigint;
}

const INSERT = sql('test.insert_effect', 'INSERT INTO effects (note) VALUES ($1) RETURNING effect_id');
const COUNT = sql('test.count_effects', 'SELECT count(*)::int AS effects FROM effects');
const CLAIMS = sql('test.claims', 'SELECT key, answer, refusal FROM claims');
const PID = sql('test.pid', 'SELECT pg_backend_pid() AS pid');
const KILL = sql('test.kill', 'SELECT pg_terminate_backend($1)');
const AGE = sql('test.age', `UPDATE claims SET created_at = now() - interval '30 days 1 minute' WHERE key = $1`);
const CLAIM: Claim = { principal: 'u1', operation: 'RefundPayment', key: 'k1', fingerprint: 'f1' };
const codec = {
  toJSON: ({ receiptId }: Receipt) => ({ receiptId: receiptId.toString() }),
  fromJSON: (json: unknown): Receipt => ({ receiptId: BigInt((json as { receiptId: string }).receiptId) }),
};

let postgres: TestDatabase;
let another: Database;

beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'libs/idempotency/test/migrations' });
  another = Database.connect({ url: postgres.url, name: 'another replica', poolSize: 8 });
});

afterEach(async () => {
  await another.close();
  await postgres.drop();
});

async function pay(tx: Transaction): Promise<Receipt> {
  const [row] = await tx.query<{ effect_id: bigint }>(INSERT, ['paid']);
  return { receiptId: row?.effect_id ?? -1n };
}

/** One call with the claim, as a use case makes it. */
function call(
  database: Database,
  claim: Partial<Claim> = {},
  work: (tx: Transaction) => Promise<Receipt> = pay,
): Promise<Claimed<Receipt>> {
  return database.transaction((tx) => claimOnce(tx, { ...CLAIM, ...claim }, codec, () => work(tx)));
}

async function effects(): Promise<number> {
  const [row] = await postgres.database.query<{ effects: number }>(COUNT);
  return row?.effects ?? -1;
}

function refusal(kind: ErrorKind): DomainError {
  const metadata = { paymentId: 'p1' };
  return new DomainError({ kind, reason: 'AMOUNT_TOO_HIGH', message: 'Too much.', metadata, violations: [] });
}

describe('a claim', () => {
  it('lets one of 50 concurrent calls on two replicas do the work, and gives all of them its answer (F1, F2, F3, F5)', async () => {
    const calls = Array.from({ length: 50 }, (_, index) => call(index % 2 === 0 ? postgres.database : another));
    const outcomes = await Promise.all(calls);
    expect(await effects()).toBe(1);
    expect(new Set(outcomes.map(({ answer }) => answer.receiptId)).size).toBe(1);
    expect(outcomes.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('is of its principal, its operation and its key', async () => {
    const outcomes = [
      await call(another),
      await call(another, { principal: 'u2' }),
      await call(another, { operation: 'CapturePayment' }),
      await call(another, { key: 'k2' }),
    ];
    expect(outcomes.map(({ replayed }) => replayed)).toEqual([false, false, false, false]);
    expect(await effects()).toBe(4);
  });

  it('refuses its key for another request, also while the first one is under way (F4)', async () => {
    const outcomes = await Promise.allSettled([call(postgres.database), call(another, { fingerprint: 'f2' })]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(call(another, { fingerprint: 'f3' })).rejects.toMatchObject({
      kind: 'conflict',
      reason: 'REQUEST_ID_REUSED',
    });
    expect(await effects()).toBe(1);
  });

  it.each<ErrorKind>(['invalid', 'not_found', 'conflict', 'refused', 'mismatch'])(
    'keeps a refusal of kind %s as the answer, and nothing that was written before it',
    async (kind) => {
      const refuse = async (tx: Transaction) => {
        await pay(tx);
        throw refusal(kind);
      };
      await expect(call(postgres.database, {}, refuse)).rejects.toMatchObject({ kind, reason: 'AMOUNT_TOO_HIGH' });
      await expect(call(another)).rejects.toMatchObject({
        kind,
        reason: 'AMOUNT_TOO_HIGH',
        message: 'Too much.',
        metadata: { paymentId: 'p1' },
      });
      expect(await effects()).toBe(0);
    },
  );

  it('keeps a refusal that a failed statement led to', async () => {
    const refuse = async (tx: Transaction): Promise<Receipt> => {
      await tx.query(sql('test.fail', 'SELECT 1 / 0')).catch(() => Promise.reject(refusal('conflict')));
      throw new Error('unreachable');
    };
    await expect(call(postgres.database, {}, refuse)).rejects.toMatchObject({ reason: 'AMOUNT_TOO_HIGH' });
    await expect(call(another)).rejects.toMatchObject({ reason: 'AMOUNT_TOO_HIGH' });
  });

  it.each<ErrorKind | 'a bug'>(['unavailable', 'exhausted', 'unauthenticated', 'forbidden', 'a bug'])(
    'is not kept after a failure of kind %s: the next call does the work',
    async (kind) => {
      const failure = kind === 'a bug' ? new Error('oops') : refusal(kind);
      const fail = async (tx: Transaction) => {
        await pay(tx);
        throw failure;
      };
      await expect(call(postgres.database, {}, fail)).rejects.toBe(failure);
      await expect(call(another)).resolves.toMatchObject({ replayed: false });
      expect(await effects()).toBe(1);
    },
  );

  it('passes to a waiting call when its holder dies (F12)', async () => {
    let pid = 0;
    const { promise: claimed, resolve: begin } = Promise.withResolvers<void>();
    const dying = call(another, {}, async (tx) => {
      const receipt = await pay(tx);
      const [row] = await tx.query<{ pid: number }>(PID);
      pid = row?.pid ?? 0;
      begin();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await tx.query(PID);
      return receipt;
    });
    dying.catch(() => undefined);
    await claimed;
    const waiting = call(postgres.database);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await postgres.database.query(KILL, [pid]);
    await expect(waiting).resolves.toMatchObject({ replayed: false });
    await expect(dying).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await effects()).toBe(1);
  });

  it('does not make a repetition wait for ever: it is asked to come again', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: claimed, resolve: begin } = Promise.withResolvers<void>();
    const slow = call(another, {}, async (tx) => {
      begin();
      await held;
      return pay(tx);
    });
    await claimed;
    await expect(call(postgres.database)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'REQUEST_IN_PROGRESS',
    });
    release();
    const { answer } = await slow;
    expect(await call(postgres.database)).toEqual({ answer, replayed: true });
  });

  it.each<[Cut, { replayed: boolean }]>([
    ['before commit', { replayed: false }],
    ['after commit', { replayed: true }],
  ])('answers a repetition though the connection broke %s (F68)', async (cut, expected) => {
    const wire = await commitCutter(postgres.url);
    const database = Database.connect({ url: wire.url, name: 'cut off', poolSize: 1 });
    wire.cutNext(cut);
    await expect(call(database)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await call(database)).toMatchObject(expected);
    expect(await effects()).toBe(1);
    await database.close();
    await wire.close();
  });

  it('is forgotten after 30 days, and its key is a new one then (F6)', async () => {
    await call(another);
    await call(another, { key: 'k2' });
    await postgres.database.query(AGE, ['k1']);
    const pruner = new ClaimsPruner(postgres.database, createLogger('test'));
    expect(await pruner.prune()).toBe(1);
    expect((await postgres.database.query<{ key: string }>(CLAIMS)).map(({ key }) => key)).toEqual(['k2']);
    await expect(call(another)).resolves.toMatchObject({ replayed: false });
  });

  it('prunes by itself', async () => {
    await call(another);
    await postgres.database.query(AGE, ['k1']);
    const pruner = new ClaimsPruner(postgres.database, createLogger('test'));
    pruner.start();
    await eventually(async () => expect(await postgres.database.query(CLAIMS)).toEqual([]));
    await pruner.stop();
  });
});
