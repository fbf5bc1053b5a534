// Roles of the shop's own. Guarantees: a role that somebody has is not deleted, also when it is given to them at the same
// time; there are a hundred at most. What built-in roles may do is not stored: see @souk/auth.
import { BUILT_IN_ROLES, isBuiltInRole, isPermission, type Permission } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { sql, type Database, type Queryable, type Transaction } from '@souk/postgres';
import { authorityOf, ROLES_AT_MOST, roleNotFound, type Authority } from './role-rules.js';

export interface Role {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly builtIn: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface Row {
  name: string;
  permissions: string[];
  built_in: boolean;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = 'name, permissions, built_in, created_at, updated_at';

const LIST = sql('roles.list', `SELECT ${COLUMNS} FROM roles ORDER BY built_in DESC, created_at, name LIMIT $1`);
const FIND = sql('roles.find', `SELECT ${COLUMNS} FROM roles WHERE name = ANY ($1)`);
const HOLD = sql('roles.hold', `SELECT ${COLUMNS} FROM roles WHERE name = ANY ($1) ORDER BY name FOR SHARE`);
const LOCK = sql('roles.lock', `SELECT ${COLUMNS} FROM roles WHERE name = $1 FOR UPDATE`);
// Whoever makes roles does it one after the other, so that they can be counted.
const LOCK_ALL = sql('roles.lock_all', `SELECT name FROM roles WHERE name = 'customer' FOR UPDATE`);
const COUNT = sql('roles.count', 'SELECT count(*)::int AS count FROM roles');
const INSERT = sql(
  'roles.insert',
  `INSERT INTO roles (name, permissions) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
);
const UPDATE = sql(
  'roles.update',
  `UPDATE roles SET permissions = $2, updated_at = now() WHERE name = $1 RETURNING ${COLUMNS}`,
);
const IN_USE = sql('roles.in_use', 'SELECT user_id FROM users WHERE roles @> ARRAY[$1] LIMIT 1');
const DELETE = sql('roles.delete', 'DELETE FROM roles WHERE name = $1');

export class RolesStore {
  constructor(private readonly database: Database) {}

  async list(): Promise<Role[]> {
    return (await this.database.query<Row>(LIST, [ROLES_AT_MOST])).map(toRole);
  }

  /** What somebody with these roles may do. */
  async authorityOf(roles: readonly string[], within: Queryable = this.database): Promise<Authority> {
    return authorityOf(roles, await this.ownPermissions(roles, within));
  }

  /** What the shop's own ones among the roles may do. */
  async ownPermissions(roles: readonly string[], within: Queryable = this.database): Promise<Permission[]> {
    const own = roles.filter((name) => !isBuiltInRole(name));
    if (own.length === 0) return [];
    return (await within.query<Row>(FIND, [own])).map(toRole).flatMap(({ permissions }) => permissions);
  }

  /**
   * Makes sure that the roles are there and stay until the transaction ends.
   * @throws DomainError ROLE_NOT_FOUND
   */
  async hold(tx: Transaction, names: readonly string[]): Promise<void> {
    const held = (await tx.query<Row>(HOLD, [names])).map(({ name }) => name);
    const missing = names.find((name) => !held.includes(name));
    if (missing !== undefined) throw roleNotFound(missing);
  }

  /** @throws DomainError ROLE_EXISTS, ROLE_LIMIT */
  create(name: string, permissions: readonly Permission[]): Promise<Role> {
    return this.database.transaction(async (tx) => {
      await tx.query(LOCK_ALL);
      const [counted] = await tx.query<{ count: number }>(COUNT);
      if ((counted?.count ?? 0) >= ROLES_AT_MOST) throw tooManyRoles();
      const [row] = await tx.query<Row>(INSERT, [name, permissions]);
      if (!row) throw roleExists();
      return toRole(row);
    });
  }

  /**
   * Replaces what the role is made of.
   * @param check sees the role as it is
   * @throws DomainError ROLE_NOT_FOUND, what `check` throws
   */
  update(name: string, permissions: readonly Permission[], check: (present: Role) => void): Promise<Role> {
    return this.database.transaction(async (tx) => {
      const [present] = await tx.query<Row>(LOCK, [name]);
      if (!present) throw roleNotFound(name);
      check(toRole(present));
      const [row] = await tx.query<Row>(UPDATE, [name, permissions]);
      return toRole(row ?? present);
    });
  }

  /**
   * Deletes the role where it is there.
   * @throws DomainError ROLE_IN_USE, what `check` throws
   */
  delete(name: string, check: (present: Role) => void): Promise<void> {
    return this.database.transaction(async (tx) => {
      const [present] = await tx.query<Row>(LOCK, [name]);
      if (!present) return;
      check(toRole(present));
      if ((await tx.query(IN_USE, [name])).length > 0) throw roleInUse();
      await tx.query(DELETE, [name]);
    });
  }
}

/** Permissions that this version does not know are left out: they open nothing here. */
function toRole({ name, permissions, built_in: builtIn, created_at, updated_at }: Row): Role {
  const known = isBuiltInRole(name) ? BUILT_IN_ROLES[name] : permissions.filter(isPermission);
  return { name, permissions: known, builtIn, createdAt: created_at, updatedAt: updated_at };
}

function roleExists(): DomainError {
  return new DomainError({ kind: 'conflict', reason: 'ROLE_EXISTS', message: 'There is a role of this name already.' });
}

function tooManyRoles(): DomainError {
  const message = `There are ${ROLES_AT_MOST} roles already. Delete one first.`;
  return new DomainError({ kind: 'refused', reason: 'ROLE_LIMIT', message });
}

function roleInUse(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'ROLE_IN_USE',
    message: 'Somebody has this role. Take it from them first.',
  });
}
