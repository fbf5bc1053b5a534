// Signing keys. Guarantees: all replicas agree at each moment which key signs, since the rows say it and the database's clock
// decides; of several that make the next key at once one succeeds; a key is published before it signs, and goes only when
// no token that it signed can be good any more, unless it was stolen. Private keys are stored sealed only.
import type { JWK } from 'jose';
import { sql, type Database } from '@souk/postgres';

export interface StoredKey {
  readonly keyId: string;
  readonly publicJwk: JWK;
  readonly sealedPrivateKey: Buffer;
}

/** A key as everybody may see it. */
export interface PublishedKey {
  readonly jwk: JWK;
  /** When it begins, or began, to sign. */
  readonly signsFrom: Date;
}

interface KeyRow {
  key_id: string;
  public_jwk: JWK;
  sealed_private_key: Buffer;
  signs_from: Date;
}

const SIGNER = sql(
  'signing_keys.signer',
  `SELECT key_id, public_jwk, sealed_private_key FROM signing_keys
    WHERE signs_from <= now() ORDER BY generation DESC LIMIT 1`,
);
const INSERT_FIRST = sql(
  'signing_keys.insert_first',
  `INSERT INTO signing_keys (key_id, public_jwk, sealed_private_key, generation, signs_from)
   SELECT $1, $2, $3, 1, now() WHERE NOT EXISTS (SELECT FROM signing_keys)
   ON CONFLICT DO NOTHING`,
);
// Nothing where the newest one has signed for less than the given time, or does not sign yet.
const INSERT_NEXT = sql(
  'signing_keys.insert_next',
  `INSERT INTO signing_keys (key_id, public_jwk, sealed_private_key, generation, signs_from)
   SELECT $1, $2, $3, max(generation) + 1, now() + make_interval(secs => $4) FROM signing_keys
   HAVING max(signs_from) <= now() - make_interval(secs => $5)
   ON CONFLICT (generation) DO NOTHING
   RETURNING key_id`,
);
const INSERT_AT_ONCE = sql(
  'signing_keys.insert_at_once',
  `INSERT INTO signing_keys (key_id, public_jwk, sealed_private_key, generation, signs_from)
   SELECT $1, $2, $3, max(generation) + 1, now() FROM signing_keys
   ON CONFLICT (generation) DO NOTHING
   RETURNING generation`,
);
const DELETE_BEFORE = sql('signing_keys.delete_before', 'DELETE FROM signing_keys WHERE generation < $1');
const RETIRE = sql(
  'signing_keys.retire',
  `DELETE FROM signing_keys k WHERE EXISTS (
     SELECT FROM signing_keys n
      WHERE n.generation > k.generation AND n.signs_from <= now() - make_interval(secs => $1))
   RETURNING key_id`,
);
const LIST = sql(
  'signing_keys.list',
  'SELECT key_id, public_jwk, signs_from FROM signing_keys ORDER BY generation DESC',
);

export class SigningKeysStore {
  constructor(private readonly database: Database) {}

  /** The key that signs at this moment. */
  async signer(): Promise<StoredKey | undefined> {
    const [row] = await this.database.query<KeyRow>(SIGNER);
    return row && { keyId: row.key_id, publicJwk: row.public_jwk, sealedPrivateKey: row.sealed_private_key };
  }

  /** Makes the key the first one, unless there is one by now. */
  async insertFirst(key: StoredKey): Promise<void> {
    await this.database.query(INSERT_FIRST, valuesOf(key));
  }

  /**
   * Makes the key the next one, which signs after `leadSeconds`, where the newest one has signed for `minimumSeconds`.
   * @returns false where it has not, or where another key was made at the same time
   */
  async insertNext(key: StoredKey, leadSeconds: number, minimumSeconds = 0): Promise<boolean> {
    const values = [...valuesOf(key), leadSeconds, minimumSeconds];
    return (await this.database.query(INSERT_NEXT, values)).length > 0;
  }

  /** Makes the key the only one: no token that another one signed is good any more. */
  replaceAll(key: StoredKey): Promise<void> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<{ generation: number }>(INSERT_AT_ONCE, valuesOf(key));
      // Another one did the same just now, with the same effect.
      if (row) await tx.query(DELETE_BEFORE, [row.generation]);
    });
  }

  /** Deletes keys that were followed by one that has signed for so long; answers which. */
  async retire(afterSeconds: number): Promise<string[]> {
    const rows = await this.database.query<KeyRow>(RETIRE, [afterSeconds]);
    return rows.map((row) => row.key_id);
  }

  /** All keys, newest first, each with its `kid`. */
  async list(): Promise<PublishedKey[]> {
    const rows = await this.database.query<KeyRow>(LIST);
    return rows.map((row) => ({ jwk: { ...row.public_jwk, kid: row.key_id }, signsFrom: row.signs_from }));
  }
}

function valuesOf({ keyId, publicJwk, sealedPrivateKey }: StoredKey): unknown[] {
  return [keyId, JSON.stringify(publicJwk), sealedPrivateKey];
}
