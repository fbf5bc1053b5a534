import { BUILT_IN_ROLES } from '@souk/auth';
import {
  authorityOf,
  checkAssignment,
  checkGrant,
  checkPermissions,
  checkRoleName,
  refuseBuiltIn,
  type Authority,
} from './role-rules.js';

const reason = (check: () => unknown): string => {
  try {
    check();
    return 'fine';
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};

describe('roles', () => {
  it.each(['support', 'b2b-sales', 'a'])('may be called %s', (name) => {
    expect(reason(() => checkRoleName(name))).toBe('fine');
  });

  it.each(['', 'Support', '1st', 'a b', '-a', 'x'.repeat(41), 'admin\n'])('may not be called %j', (name) => {
    expect(reason(() => checkRoleName(name))).toBe('INVALID_ARGUMENT');
  });

  it('are made of permissions that there are, each once', () => {
    expect(checkPermissions(['orders:read', 'orders:read', 'stock:write'])).toEqual(['orders:read', 'stock:write']);
    expect(reason(() => checkPermissions(['orders:read', 'orders:destroy']))).toBe('INVALID_ARGUMENT');
    expect(reason(() => checkPermissions(['toString']))).toBe('INVALID_ARGUMENT');
  });

  it.each(['customer', 'staff', 'admin'])('that every shop has stay as they are: %s', (name) => {
    expect(reason(() => refuseBuiltIn(name))).toBe('ROLE_BUILT_IN');
  });

  it('of an account are bounded, and always with that of a customer', () => {
    expect(checkAssignment([])).toEqual(['customer']);
    expect(checkAssignment(['staff', 'customer'])).toEqual(['customer', 'staff']);
    expect(reason(() => checkAssignment(Array.from({ length: 10 }, (_, n) => `r${n}`)))).toBe('INVALID_ARGUMENT');
  });
});

describe('giving and taking', () => {
  const someone = (...permissions: Authority['permissions']): Authority => ({ admin: false, permissions });
  const admin = authorityOf(['admin'], []);

  it.each<[string, Authority, Authority, string]>([
    ['an administrator anything', admin, admin, 'fine'],
    ['others what they have', someone('orders:read', 'roles:write'), someone('orders:read'), 'fine'],
    ['others nothing more', someone('roles:write'), someone('orders:refund'), 'GRANT_TOO_WIDE'],
    ['nobody else what an administrator has', someone(...BUILT_IN_ROLES.admin), admin, 'GRANT_TOO_WIDE'],
  ])('is for %s', (_case, giver, given, expected) => {
    expect(reason(() => checkGrant(giver, given))).toBe(expected);
  });

  it('adds up what roles are made of', () => {
    expect(authorityOf(['customer', 'staff', 'own'], ['clients:write', 'orders:read'])).toEqual({
      admin: false,
      permissions: [...BUILT_IN_ROLES.staff, 'clients:write'],
    });
  });
});
