// Work that happens once per key of its caller. Guarantees: the claim is committed together with the work and its answer,
// or none of them is, so a claim whose holder died is simply gone; of concurrent calls with one key one does the work and
// the others wait for it and get its answer; a refusal by the rules of the shop is an answer too, and stays one. What is
// no refusal (an outage, a bug) leaves no claim: the same key may be tried again. Claims are kept for 30 days at
// least; where they are forgotten, what must never happen twice, ever, has a unique key of its own besides. What the work does outside of the transaction may happen twice.
import { DomainError, isDomainError, type ErrorKind } from '@souk/errors';
import { CommitThenThrow, isLockTimeout, type Transaction } from '@souk/postgres';
import { CLAIM, FIND, KEEP_ANSWER, KEEP_REFUSAL, ROLL_BACK_WORK, SAVE_POINT, type ClaimRow } from './claim-rows.js';

/** What is done once. */
export interface Claim {
  /** On whose behalf: keys of different principals never meet. */
  readonly principal: string;
  /** What is asked for, for example `RefundPayment`. */
  readonly operation: string;
  /** The caller's key, `request_id`. */
  readonly key: string;
  /** Digest of the request, by `fingerprintOf`. */
  readonly fingerprint: string;
}

/** Writes and reads an answer as canonical JSON: every generated message type. */
export interface AnswerCodec<A> {
  toJSON(answer: A): unknown;
  fromJSON(json: unknown): A;
}

/** What the work answered, now or when it was done. */
export interface Claimed<A> {
  readonly answer: A;
  /** True where the work had been done before. */
  readonly replayed: boolean;
}

const LONGEST_WAIT = '4s';
const FINAL: readonly ErrorKind[] = ['invalid', 'not_found', 'conflict', 'refused', 'mismatch'];

type Refusal = Pick<DomainError, 'kind' | 'reason' | 'message' | 'metadata' | 'violations'>;

/**
 * Does `work` once per claim, in the caller's transaction, which must begin with it: locks that are taken before the claim
 * may wait for one another. Locks are waited for 4 s at most from here on. A refusal that `work` throws undoes what it
 * wrote, and is thrown by `Database.transaction` after the claim was committed.
 * @throws DomainError REQUEST_ID_REUSED where the key was used for another request, REQUEST_IN_PROGRESS where the first
 * call with the key takes too long: repeat it with the same key
 */
export async function claimOnce<A>(
  tx: Transaction,
  claim: Claim,
  codec: AnswerCodec<A>,
  work: () => Promise<A>,
): Promise<Claimed<A>> {
  if (!(await isFirst(tx, claim))) return { answer: await findAnswer(tx, claim, codec), replayed: true };
  const answer = await doWork(tx, claim, work);
  await tx.query(KEEP_ANSWER, [...keyOf(claim), JSON.stringify(codec.toJSON(answer))]);
  return { answer, replayed: false };
}

/** Waits for a transaction that holds the claim; where that one ends without a commit, the claim is ours. */
async function isFirst(tx: Transaction, claim: Claim): Promise<boolean> {
  try {
    const claiming = tx.query(CLAIM, [...keyOf(claim), claim.fingerprint, LONGEST_WAIT]);
    const [claimed] = await Promise.all([claiming, tx.query(SAVE_POINT)]);
    return claimed.length > 0;
  } catch (error) {
    throw isLockTimeout(error) ? inProgress(error) : error;
  }
}

async function doWork<A>(tx: Transaction, claim: Claim, work: () => Promise<A>): Promise<A> {
  try {
    return await work();
  } catch (error) {
    if (!isDomainError(error) || !FINAL.includes(error.kind)) throw error;
    await tx.query(ROLL_BACK_WORK);
    const { kind, reason, message, metadata, violations }: Refusal = error;
    await tx.query(KEEP_REFUSAL, [...keyOf(claim), JSON.stringify({ kind, reason, message, metadata, violations })]);
    throw new CommitThenThrow(error);
  }
}

async function findAnswer<A>(tx: Transaction, claim: Claim, codec: AnswerCodec<A>): Promise<A> {
  const [row] = await tx.query<ClaimRow>(FIND, keyOf(claim));
  // Pruned in between: as old as it was, it is no repetition any more.
  if (!row) throw inProgress();
  if (row.fingerprint !== claim.fingerprint) throw reused();
  if (row.refusal) throw new DomainError(row.refusal as Refusal);
  return codec.fromJSON(row.answer);
}

function keyOf({ principal, operation, key }: Claim): string[] {
  return [principal, operation, key];
}

function reused(): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'REQUEST_ID_REUSED',
    message: 'The key was used for another request. Make a new key for a new request.',
  });
}

function inProgress(cause?: unknown): DomainError {
  return new DomainError({
    kind: 'unavailable',
    reason: 'REQUEST_IN_PROGRESS',
    message: 'The first request with this key is still being worked on. Repeat it with the same key.',
    cause,
  });
}
