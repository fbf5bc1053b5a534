/**
 * What people and programs may be allowed to do: one table for the whole shop. Roles and machine clients are made of these
 * names, access tokens carry them, and RPCs ask for them with `@Allow('orders:read')`. There are few of them, so that a
 * token that carries all of them is still small.
 */

/** Every permission, and in words what it opens. */
export const PERMISSIONS = {
  'catalog:write': 'Change products, prices and categories; import them',
  'stock:read': 'Read movements of stock',
  'stock:write': 'Set and correct stock',
  'orders:read': 'Read all orders, their payments and their mails',
  'orders:write': 'Fulfil and cancel orders, capture payments',
  'orders:refund': 'Give money back',
  'users:read': 'Read all accounts',
  'users:write': 'End sessions of others and take their second factor away',
  'roles:write': 'Make roles and give them to people',
  'clients:write': 'Make machine clients and their secrets',
  'keys:write': 'Rotate the keys that tokens are signed with',
  'privacy:export': 'Hand out all that is known of a person',
  'privacy:erase': 'Erase a person from all services',
  'audit:read': 'Read who did what',
  'operations:run': 'Reconcile, replay and mend',
} as const;

export type Permission = keyof typeof PERMISSIONS;

/** What every shop has, whatever other roles it makes. */
export type Role = 'customer' | 'staff' | 'admin';

/** What the roles that every shop has are made of. An administrator may do everything, also what a later version adds. */
export const BUILT_IN_ROLES: Readonly<Record<Role, readonly Permission[]>> = {
  customer: [],
  staff: [
    'catalog:write',
    'stock:read',
    'stock:write',
    'orders:read',
    'orders:write',
    'orders:refund',
    'users:read',
    'operations:run',
  ],
  admin: Object.keys(PERMISSIONS) as Permission[],
};

/** Whether the text names a permission of this version. */
export function isPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text);
}

/** Whether the text names a role that every shop has. */
export function isBuiltInRole(text: string): text is Role {
  return Object.hasOwn(BUILT_IN_ROLES, text);
}
