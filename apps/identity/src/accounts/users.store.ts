// Accounts. Guarantees: an address belongs to at most one account, the one that proved it, however many try at once; others
// may carry it without proof. Accounts, and what happens to them, are written together with the events that tell of it.
// Does not check what is written: see account-rules.ts.
import { appendToOutbox } from '@souk/outbox';
import { sql, uuidv7, type Database, type Queryable, type Statement, type Transaction } from '@souk/postgres';
import { emailVerified, userDeleted, userRegistered } from '../identity.events.js';
import { emailKey, tidyAddress } from '@souk/auth';

export interface User {
  readonly userId: string;
  /** Empty where another account proved that the address is its own. */
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}

/** A user and the hash that the password is compared with. */
export interface Account extends User {
  readonly passwordHash: string;
}

export interface NewUser {
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly passwordHash: string;
}

interface UserRow {
  user_id: string;
  email: string | null;
  verified: boolean;
  name: string;
  roles: string[];
  password_hash: string;
  created_at: Date;
}

const COLUMNS = `user_id, email, email_verified_at IS NOT NULL AS verified, name, roles, password_hash, created_at`;

const INSERT = sql(
  'users.insert',
  `INSERT INTO users (user_id, email, email_key, name, roles, password_hash) VALUES ($1, $2, $3, $4, $5, $6)
   RETURNING ${COLUMNS}`,
);
const FIND = sql('users.find', `SELECT ${COLUMNS} FROM users WHERE user_id = $1`);
const LOCK = sql('users.lock', `SELECT ${COLUMNS} FROM users WHERE user_id = $1 FOR UPDATE`);
const HOLD = sql('users.hold', `SELECT ${COLUMNS} FROM users WHERE user_id = $1 FOR SHARE`);
const FIND_OWNER = sql(
  'users.find_owner',
  `SELECT ${COLUMNS} FROM users WHERE email_key = $1 AND email_verified_at IS NOT NULL`,
);
const FIND_NEWEST_WITHOUT_PROOF = sql(
  'users.find_newest_without_proof',
  `SELECT ${COLUMNS} FROM users WHERE email_key = $1 AND email_verified_at IS NULL
    ORDER BY created_at DESC, user_id DESC LIMIT 1`,
);
const TAKE_FROM_OTHERS = sql(
  'users.take_from_others',
  `UPDATE users SET email = NULL, email_key = NULL WHERE email_key = $1 AND user_id <> $2 AND email_verified_at IS NULL`,
);
const OWN = sql(
  'users.own',
  `UPDATE users SET email = $2, email_key = $3, email_verified_at = now() WHERE user_id = $1
   RETURNING ${COLUMNS}, email_verified_at`,
);
const RENAME = sql('users.rename', `UPDATE users SET name = $2 WHERE user_id = $1 RETURNING ${COLUMNS}`);
const SET_PASSWORD = sql('users.set_password', 'UPDATE users SET password_hash = $2 WHERE user_id = $1');
const DELETE = sql('users.delete', 'DELETE FROM users WHERE user_id = $1 RETURNING now() AS deleted_at');
const OTHER_ADMIN = sql(
  'users.other_admin',
  `SELECT user_id FROM users WHERE 'admin' = ANY (roles) AND user_id IS DISTINCT FROM $1 LIMIT 1`,
);
const LOCK_ADMINS = sql('users.lock_admins', `SELECT name FROM roles WHERE name = 'admin' FOR UPDATE`);
const SET_ROLES = sql('users.set_roles', `UPDATE users SET roles = $2 WHERE user_id = $1 RETURNING ${COLUMNS}`);
const LIST = sql('users.list', `SELECT ${COLUMNS} FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2`);
const LIST_BY_EMAIL = sql(
  'users.list_by_email',
  `SELECT ${COLUMNS} FROM users WHERE email_key = $3 AND ($4 = '' OR roles @> ARRAY[$4]) AND user_id > $1
    ORDER BY user_id LIMIT $2`,
);
const LIST_BY_ROLE = sql(
  'users.list_by_role',
  `SELECT ${COLUMNS} FROM users WHERE roles @> ARRAY[$3] AND user_id > $1 ORDER BY user_id LIMIT $2`,
);

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

export class UsersStore {
  constructor(private readonly database: Database) {}

  /** Writes an account that has not proved its address. */
  async insert(tx: Transaction, { email, name, roles, passwordHash }: NewUser): Promise<User> {
    const [row] = await tx.query<UserRow>(INSERT, [uuidv7(), email, emailKey(email), name, roles, passwordHash]);
    const user = toAccount(one(row));
    await appendToOutbox(tx, [userRegistered(user)]);
    return user;
  }

  async find(userId: string, within: Queryable = this.database): Promise<Account | undefined> {
    const [row] = await within.query<UserRow>(FIND, [userId]);
    return row && toAccount(row);
  }

  /** The account, which nobody else changes until the transaction ends. */
  async lock(tx: Transaction, userId: string): Promise<Account | undefined> {
    const [row] = await tx.query<UserRow>(LOCK, [userId]);
    return row && toAccount(row);
  }

  /** The account as it stays until the transaction ends; others may hold it too. */
  async hold(tx: Transaction, userId: string): Promise<Account | undefined> {
    const [row] = await tx.query<UserRow>(HOLD, [userId]);
    return row && toAccount(row);
  }

  /** The account that proved the address. */
  async findOwner(email: string, within: Queryable = this.database): Promise<Account | undefined> {
    const [row] = await within.query<UserRow>(FIND_OWNER, [emailKey(email)]);
    return row && toAccount(row);
  }

  /** Of the accounts that carry the address without proof the one that was made last. */
  async findNewestWithoutProof(email: string): Promise<Account | undefined> {
    const [row] = await this.database.query<UserRow>(FIND_NEWEST_WITHOUT_PROOF, [emailKey(email)]);
    return row && toAccount(row);
  }

  /**
   * Makes the address the account's own and takes it from those that carry it without proof. Fails on the index
   * `users_verified_email` where another account proved it before.
   */
  async own(tx: Transaction, userId: string, email: string): Promise<User> {
    const key = emailKey(email);
    await tx.query(TAKE_FROM_OTHERS, [key, userId]);
    const [row] = await tx.query<UserRow & { email_verified_at: Date }>(OWN, [userId, email, key]);
    const { email_verified_at: verifiedAt, ...rest } = one(row);
    await appendToOutbox(tx, [emailVerified(userId, email, verifiedAt)]);
    return toAccount(rest);
  }

  async rename(userId: string, name: string): Promise<User | undefined> {
    const [row] = await this.database.query<UserRow>(RENAME, [userId, name]);
    return row && toAccount(row);
  }

  async setPassword(tx: Transaction, userId: string, passwordHash: string): Promise<void> {
    await tx.query(SET_PASSWORD, [userId, passwordHash]);
  }

  /** Deletes the account with its sessions and all else that is its own. */
  async delete(tx: Transaction, userId: string): Promise<void> {
    const [row] = await tx.query<{ deleted_at: Date }>(DELETE, [userId]);
    if (row) await appendToOutbox(tx, [userDeleted(userId, row.deleted_at)]);
  }

  async setRoles(tx: Transaction, userId: string, roles: readonly string[]): Promise<User> {
    const [row] = await tx.query<UserRow>(SET_ROLES, [userId, roles]);
    return toAccount(one(row));
  }

  /** Accounts, oldest first. */
  async list(filter: { email: string; role: string; after: string; limit: number }): Promise<User[]> {
    const { email, role, after, limit } = filter;
    const page = [after || BEFORE_ALL, limit];
    if (email) return this.page(LIST_BY_EMAIL, [...page, emailKey(tidyAddress(email)), role]);
    return role ? this.page(LIST_BY_ROLE, [...page, role]) : this.page(LIST, page);
  }

  private async page(statement: Statement, values: unknown[]): Promise<User[]> {
    return (await this.database.query<UserRow>(statement, values)).map(toAccount);
  }

  /** Lets one transaction at a time make or unmake administrators. */
  async lockAdmins(tx: Transaction): Promise<void> {
    await tx.query(LOCK_ADMINS);
  }

  /** Whether anybody is an administrator; with an account, whether anybody else is. */
  async hasAdmin(within: Queryable = this.database, besides?: string): Promise<boolean> {
    return (await within.query(OTHER_ADMIN, [besides ?? null])).length > 0;
  }
}

function toAccount(row: UserRow): Account {
  return {
    userId: row.user_id,
    email: row.email ?? '',
    emailVerified: row.verified,
    name: row.name,
    roles: row.roles,
    passwordHash: row.password_hash,
    createdAt: row.created_at,
  };
}

function one<R>(row: R | undefined): R {
  if (!row) throw new Error('A statement about one account answered no row.');
  return row;
}
