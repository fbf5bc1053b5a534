// Address books. Guarantees: nobody has an address twice, so that adding one again, as after a lost answer, changes nothing;
// nobody has more than fifty, however many are added at once; nobody sees or changes those of another.
import { createHash } from 'node:crypto';
import { isUniqueViolation, sql, uuidv7, type Database, type Transaction } from '@souk/postgres';
import { userNotFound } from '../accounts/account-errors.js';
import {
  addressBookFull,
  ADDRESSES_AT_MOST,
  addressExists,
  addressNotFound,
  type PostalAddress,
} from './address-rules.js';

export interface AddressEntry {
  readonly addressId: string;
  readonly address: PostalAddress;
  readonly createdAt: Date;
}

interface Row {
  address_id: string;
  name: string;
  line1: string;
  line2: string;
  city: string;
  region: string;
  postal_code: string;
  country: string;
  created_at: Date;
}

const COLUMNS = 'address_id, name, line1, line2, city, region, postal_code, country, created_at';

const LIST = sql(
  'addresses.list',
  `SELECT ${COLUMNS} FROM addresses WHERE user_id = $1 ORDER BY created_at DESC, address_id LIMIT $2`,
);
const FIND_SAME = sql('addresses.find_same', `SELECT ${COLUMNS} FROM addresses WHERE user_id = $1 AND digest = $2`);
// Those who add addresses to one book do it one after the other.
const LOCK_USER = sql('addresses.lock_user', 'SELECT user_id FROM users WHERE user_id = $1 FOR NO KEY UPDATE');
const COUNT = sql('addresses.count', 'SELECT count(*)::int AS count FROM addresses WHERE user_id = $1');
const INSERT = sql(
  'addresses.insert',
  `INSERT INTO addresses (address_id, user_id, digest, name, line1, line2, city, region, postal_code, country)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${COLUMNS}`,
);
const UPDATE = sql(
  'addresses.update',
  `UPDATE addresses SET digest = $3, name = $4, line1 = $5, line2 = $6, city = $7, region = $8, postal_code = $9, country = $10
    WHERE address_id = $1 AND user_id = $2 RETURNING ${COLUMNS}`,
);
const DELETE = sql('addresses.delete', 'DELETE FROM addresses WHERE address_id = $1 AND user_id = $2');

export class AddressesStore {
  constructor(private readonly database: Database) {}

  async list(userId: string): Promise<AddressEntry[]> {
    return (await this.database.query<Row>(LIST, [userId, ADDRESSES_AT_MOST])).map(toEntry);
  }

  /** @throws DomainError ADDRESS_BOOK_FULL, USER_NOT_FOUND */
  async add(userId: string, address: PostalAddress): Promise<AddressEntry> {
    const row = await this.database.transaction(async (tx) => {
      if ((await tx.query(LOCK_USER, [userId])).length === 0) throw userNotFound();
      const [same] = await tx.query<Row>(FIND_SAME, [userId, digestOf(address)]);
      return same ?? (await insert(tx, userId, address));
    });
    return toEntry(row);
  }

  /** @throws DomainError ADDRESS_NOT_FOUND, ADDRESS_EXISTS */
  async update(userId: string, addressId: string, address: PostalAddress): Promise<AddressEntry> {
    try {
      const [row] = await this.database.query<Row>(UPDATE, [addressId, userId, ...valuesOf(address)]);
      if (!row) throw addressNotFound();
      return toEntry(row);
    } catch (error) {
      throw isUniqueViolation(error, 'addresses_once') ? addressExists() : error;
    }
  }

  async delete(userId: string, addressId: string): Promise<void> {
    await this.database.query(DELETE, [addressId, userId]);
  }
}

async function insert(tx: Transaction, userId: string, address: PostalAddress): Promise<Row> {
  const [counted] = await tx.query<{ count: number }>(COUNT, [userId]);
  if ((counted?.count ?? 0) >= ADDRESSES_AT_MOST) throw addressBookFull();
  const [row] = await tx.query<Row>(INSERT, [uuidv7(), userId, ...valuesOf(address)]);
  if (!row) throw new Error('The insert of an address answered no row.');
  return row;
}

function valuesOf(address: PostalAddress): unknown[] {
  const { name, line1, line2, city, region, postalCode, country } = address;
  return [digestOf(address), name, line1, line2, city, region, postalCode, country];
}

function digestOf({ name, line1, line2, city, region, postalCode, country }: PostalAddress): Buffer {
  const parts = [name, line1, line2, city, region, postalCode, country];
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

function toEntry(row: Row): AddressEntry {
  const { name, line1, line2, city, region, postal_code: postalCode, country } = row;
  return {
    addressId: row.address_id,
    address: { name, line1, line2, city, region, postalCode, country },
    createdAt: row.created_at,
  };
}
