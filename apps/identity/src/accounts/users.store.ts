// Accounts. Guarantees: an address belongs to one account, whatever its case, however many ask for it at once; a new
// account, its first session and its event are written together or not at all. Does not check what is written: see
// account-rules.ts.
import type { Role } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { appendToOutbox } from '@souk/outbox';
import { isUniqueViolation, sql, uuidv7, type Database, type Queryable, type Transaction } from '@souk/postgres';
import { userRegistered } from '../identity.events.js';

export interface User {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly createdAt: Date;
}

export interface NewUser {
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly passwordHash: string;
}

interface UserRow {
  user_id: string;
  email: string;
  name: string;
  roles: Role[];
  created_at: Date;
}

const INSERT = sql(
  'users.insert',
  `INSERT INTO users (user_id, email, name, roles, password_hash) VALUES ($1, $2, $3, $4, $5)
   RETURNING user_id, email, name, roles, created_at`,
);
const FIND = sql('users.find', 'SELECT user_id, email, name, roles, created_at FROM users WHERE user_id = $1');
const FIND_BY_EMAIL = sql(
  'users.find_by_email',
  'SELECT user_id, email, name, roles, created_at, password_hash FROM users WHERE lower(email) = lower($1)',
);
const ANY_ADMIN = sql('users.any_admin', `SELECT user_id FROM users WHERE 'admin' = ANY (roles) LIMIT 1`);
// The row of the active signing key is there before anybody can be an administrator, so whoever locks it is alone.
const LOCK_ADMINS = sql('users.lock_admins', 'SELECT key_id FROM signing_keys WHERE active FOR UPDATE');

export class UsersStore {
  constructor(private readonly database: Database) {}

  /**
   * Writes the account, and in the same transaction whatever `alongside` writes.
   * @throws DomainError EMAIL_TAKEN
   */
  async insert(user: NewUser, alongside: (tx: Transaction, user: User) => Promise<void>): Promise<User> {
    try {
      return await this.database.transaction(async (tx) => {
        const inserted = await insertUser(tx, user);
        await alongside(tx, inserted);
        return inserted;
      });
    } catch (error) {
      throw isUniqueViolation(error, 'users_email_key') ? emailTaken(error) : error;
    }
  }

  /**
   * Writes the account unless there is an administrator already; of several that try at once one succeeds.
   * @returns undefined where there was one
   * @throws DomainError EMAIL_TAKEN
   */
  async insertFirstAdmin(user: NewUser): Promise<User | undefined> {
    try {
      return await this.database.transaction(async (tx) => {
        await tx.query(LOCK_ADMINS);
        return (await anyAdmin(tx)) ? undefined : await insertUser(tx, user);
      });
    } catch (error) {
      throw isUniqueViolation(error, 'users_email_key') ? emailTaken(error) : error;
    }
  }

  async hasAdmin(): Promise<boolean> {
    return anyAdmin(this.database);
  }

  async find(userId: string): Promise<User | undefined> {
    const [row] = await this.database.query<UserRow>(FIND, [userId]);
    return row && toUser(row);
  }

  async findByEmail(email: string): Promise<(User & { readonly passwordHash: string }) | undefined> {
    const [row] = await this.database.query<UserRow & { password_hash: string }>(FIND_BY_EMAIL, [email]);
    return row && { ...toUser(row), passwordHash: row.password_hash };
  }
}

async function insertUser(tx: Transaction, { email, name, roles, passwordHash }: NewUser): Promise<User> {
  const [row] = await tx.query<UserRow>(INSERT, [uuidv7(), email, name, roles, passwordHash]);
  if (!row) throw new Error('The insert of a user answered no row.');
  const user = toUser(row);
  await appendToOutbox(tx, [userRegistered(user)]);
  return user;
}

async function anyAdmin(database: Queryable): Promise<boolean> {
  return (await database.query(ANY_ADMIN)).length > 0;
}

function toUser(row: UserRow): User {
  return { userId: row.user_id, email: row.email, name: row.name, roles: row.roles, createdAt: row.created_at };
}

function emailTaken(cause: unknown): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'EMAIL_TAKEN',
    message: 'There is an account with this e-mail address already.',
    cause,
  });
}
