// Signing keys. Guarantees: at most one key is active, so replicas that start at once agree on one; private keys are
// stored sealed only. Keys are never changed or deleted here.
import type { JWK } from 'jose';
import { sql, type Database } from '@souk/postgres';

export interface StoredKey {
  readonly keyId: string;
  readonly publicJwk: JWK;
  readonly sealedPrivateKey: Buffer;
}

interface KeyRow {
  key_id: string;
  public_jwk: JWK;
  sealed_private_key: Buffer;
}

const ACTIVE = sql(
  'signing_keys.active',
  'SELECT key_id, public_jwk, sealed_private_key FROM signing_keys WHERE active',
);
const INSERT = sql(
  'signing_keys.insert',
  `INSERT INTO signing_keys (key_id, public_jwk, sealed_private_key, active) VALUES ($1, $2, $3, true)
   ON CONFLICT DO NOTHING`,
);
const LIST = sql('signing_keys.list', 'SELECT key_id, public_jwk FROM signing_keys ORDER BY created_at DESC, key_id');

export class SigningKeysStore {
  constructor(private readonly database: Database) {}

  async active(): Promise<StoredKey | undefined> {
    const [row] = await this.database.query<KeyRow>(ACTIVE);
    return row && { keyId: row.key_id, publicJwk: row.public_jwk, sealedPrivateKey: row.sealed_private_key };
  }

  /** Makes the key the active one, unless there is one by now. */
  async insert({ keyId, publicJwk, sealedPrivateKey }: StoredKey): Promise<void> {
    await this.database.query(INSERT, [keyId, JSON.stringify(publicJwk), sealedPrivateKey]);
  }

  /** Public keys, newest first, each with its `kid`. */
  async list(): Promise<JWK[]> {
    const rows = await this.database.query<Pick<KeyRow, 'key_id' | 'public_jwk'>>(LIST);
    return rows.map((row) => ({ ...row.public_jwk, kid: row.key_id }));
  }
}
