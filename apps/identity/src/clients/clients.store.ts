// Machine clients. Guarantees: a client has two secrets at most, the newest ones, however many are made at once; only digests
// of them are stored. When something was used is noted once a minute, so that a busy client does not write all the time.
import { isPermission, type Permission } from '@souk/auth';
import { sql, uuidv7, type Database, type Transaction } from '@souk/postgres';
import { clientNotFound, CLIENTS_AT_MOST, SECRETS_AT_MOST, tooManyClients } from './client-rules.js';

export interface ClientSecret {
  readonly secretId: string;
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
}

export interface Client {
  readonly clientId: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** Newest first. */
  readonly secrets: readonly ClientSecret[];
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
}

interface SecretRow {
  secret_id: string;
  created_at: Date;
  last_used_at: Date | null;
}

interface ClientRow {
  client_id: string;
  name: string;
  permissions: string[];
  created_at: Date;
  last_used_at: Date | null;
}

const COLUMNS = 'client_id, name, permissions, created_at, last_used_at';

const LIST = sql('clients.list', `SELECT ${COLUMNS} FROM clients ORDER BY created_at, client_id LIMIT $1`);
const LIST_SECRETS = sql(
  'clients.list_secrets',
  `SELECT client_id, secret_id, created_at, last_used_at FROM client_secrets WHERE client_id = ANY ($1)
    ORDER BY created_at DESC, secret_id DESC`,
);
const FIND = sql('clients.find', `SELECT ${COLUMNS} FROM clients WHERE client_id = $1`);
const LOCK = sql('clients.lock', `SELECT ${COLUMNS} FROM clients WHERE client_id = $1 FOR UPDATE`);
const INSERT = sql(
  'clients.insert',
  `INSERT INTO clients (client_id, name, permissions)
   SELECT $1, $2, $3 WHERE (SELECT count(*) FROM clients) < $4 RETURNING ${COLUMNS}`,
);
const INSERT_SECRET = sql(
  'clients.insert_secret',
  `WITH surplus AS (DELETE FROM client_secrets WHERE secret_id IN (
     SELECT secret_id FROM client_secrets WHERE client_id = $2 ORDER BY created_at DESC, secret_id DESC OFFSET $4))
   INSERT INTO client_secrets (secret_id, client_id, secret_hash) VALUES ($1, $2, $3)
   RETURNING secret_id, created_at, last_used_at`,
);
const AUTHENTICATE = sql(
  'clients.authenticate',
  `SELECT c.permissions, s.secret_id FROM client_secrets s JOIN clients c USING (client_id)
    WHERE s.client_id = $1 AND s.secret_hash = $2`,
);
const USE = sql(
  'clients.use',
  `WITH used AS (UPDATE client_secrets SET last_used_at = now()
                  WHERE secret_id = $2 AND coalesce(last_used_at < now() - interval '1 minute', true))
   UPDATE clients SET last_used_at = now()
    WHERE client_id = $1 AND coalesce(last_used_at < now() - interval '1 minute', true)`,
);
const DELETE_SECRET = sql(
  'clients.delete_secret',
  'DELETE FROM client_secrets WHERE client_id = $1 AND secret_id = $2',
);
const DELETE = sql('clients.delete', 'DELETE FROM clients WHERE client_id = $1');

export class ClientsStore {
  constructor(private readonly database: Database) {}

  /** @throws DomainError CLIENT_LIMIT */
  create(name: string, permissions: readonly Permission[], secretHash: Buffer): Promise<Client> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<ClientRow>(INSERT, [uuidv7(), name, permissions, CLIENTS_AT_MOST]);
      if (!row) throw tooManyClients();
      return toClient(row, [await insertSecret(tx, row.client_id, secretHash)]);
    });
  }

  async list(): Promise<Client[]> {
    return this.withSecrets(await this.database.query<ClientRow>(LIST, [CLIENTS_AT_MOST]));
  }

  async find(clientId: string): Promise<Client | undefined> {
    const [client] = await this.withSecrets(await this.database.query<ClientRow>(FIND, [clientId]));
    return client;
  }

  /**
   * Adds a secret; of those before the newest one stays.
   * @throws DomainError CLIENT_NOT_FOUND
   */
  async addSecret(clientId: string, secretHash: Buffer): Promise<Client> {
    await this.database.transaction(async (tx) => {
      const [row] = await tx.query<ClientRow>(LOCK, [clientId]);
      if (!row) throw clientNotFound();
      await insertSecret(tx, clientId, secretHash);
    });
    const client = await this.find(clientId);
    if (!client) throw clientNotFound();
    return client;
  }

  /** What the client may do, where the secret is one of its own. */
  async authenticate(clientId: string, secretHash: Buffer): Promise<Permission[] | undefined> {
    const values = [clientId, secretHash];
    const [row] = await this.database.query<{ permissions: string[]; secret_id: string }>(AUTHENTICATE, values);
    if (!row) return undefined;
    await this.database.query(USE, [clientId, row.secret_id]);
    return row.permissions.filter(isPermission);
  }

  async deleteSecret(clientId: string, secretId: string): Promise<void> {
    await this.database.query(DELETE_SECRET, [clientId, secretId]);
  }

  async delete(clientId: string): Promise<void> {
    await this.database.query(DELETE, [clientId]);
  }

  private async withSecrets(rows: ClientRow[]): Promise<Client[]> {
    if (rows.length === 0) return [];
    const ids = [rows.map((row) => row.client_id)];
    const secrets = await this.database.query<SecretRow & { client_id: string }>(LIST_SECRETS, ids);
    return rows.map((row) =>
      toClient(row, secrets.filter((secret) => secret.client_id === row.client_id).map(toSecret)),
    );
  }
}

async function insertSecret(tx: Transaction, clientId: string, secretHash: Buffer): Promise<ClientSecret> {
  const [row] = await tx.query<SecretRow>(INSERT_SECRET, [uuidv7(), clientId, secretHash, SECRETS_AT_MOST - 1]);
  if (!row) throw new Error('The insert of a secret answered no row.');
  return toSecret(row);
}

function toSecret(row: SecretRow): ClientSecret {
  return { secretId: row.secret_id, createdAt: row.created_at, lastUsedAt: row.last_used_at ?? undefined };
}

/** Permissions that this version does not know are left out: they open nothing here. */
function toClient(row: ClientRow, secrets: ClientSecret[]): Client {
  return {
    clientId: row.client_id,
    name: row.name,
    permissions: row.permissions.filter(isPermission),
    secrets,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
