import { BUILT_IN_ROLES, type Permission, type Role } from './permissions.js';
import { GUEST, may, subjectOf, userIdOf, type Principal } from './principal.js';
import { Allow, authorize, rulesOf, type Rule } from './rules.js';

const person = (...roles: Role[]): Principal => ({
  kind: 'user',
  userId: 'u1',
  email: 'u1@example.com',
  emailVerified: true,
  roles,
  permissions: roles.flatMap((role) => BUILT_IN_ROLES[role]),
  sessionId: 's1',
});
const withPermission = (...permissions: Permission[]): Principal => ({
  ...(person('customer') as Principal & { kind: 'user' }),
  permissions,
});
const program = (...permissions: Permission[]): Principal => ({ kind: 'client', clientId: 'c1', permissions });
const ENROLLING: Principal = { kind: 'enrolling', userId: 'u1', sessionId: 's1' };

const outcome = (rules: Rule[], principal: Principal, caller?: string): string => {
  try {
    authorize(rules, principal, caller);
    return 'in';
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};

it.each<[Rule[], Principal, string | undefined, string]>([
  [['public'], GUEST, undefined, 'in'],
  [['public'], person('customer'), 'catalog', 'in'],
  [['anyone'], GUEST, 'gateway', 'in'],
  [['anyone'], program(), 'gateway', 'in'],
  [['user'], GUEST, 'gateway', 'UNAUTHENTICATED'],
  [['user'], person('customer'), 'gateway', 'in'],
  [['user'], program('orders:read'), 'gateway', 'PERMISSION_DENIED'],
  [['user'], ENROLLING, 'gateway', 'SECOND_FACTOR_REQUIRED'],
  [['anyone'], ENROLLING, 'gateway', 'in'],
  [['user', 'enrolling'], ENROLLING, 'gateway', 'in'],
  [['enrolling'], ENROLLING, 'catalog', 'SECOND_FACTOR_REQUIRED'],
  [['enrolling'], person('admin'), 'gateway', 'PERMISSION_DENIED'],
  [['orders:read'], ENROLLING, 'gateway', 'SECOND_FACTOR_REQUIRED'],
  [['orders:read'], GUEST, 'gateway', 'UNAUTHENTICATED'],
  [['orders:read'], person('customer'), 'gateway', 'PERMISSION_DENIED'],
  [['orders:read'], person('staff'), 'gateway', 'in'],
  [['orders:read'], person('admin'), 'gateway', 'in'],
  [['orders:read'], withPermission('orders:write'), 'gateway', 'PERMISSION_DENIED'],
  [['orders:read'], withPermission('orders:read'), 'gateway', 'in'],
  [['orders:read'], program('orders:read'), 'gateway', 'in'],
  [['orders:read'], program('orders:write'), 'gateway', 'PERMISSION_DENIED'],
  // A program speaks for itself; people and guests come by the gateway, and no other service speaks for anybody.
  [['anyone'], program(), undefined, 'in'],
  [['orders:read'], program('orders:read'), undefined, 'in'],
  [['orders:read'], program('orders:read'), 'catalog', 'PERMISSION_DENIED'],
  [['anyone'], GUEST, undefined, 'UNAUTHENTICATED'],
  [['anyone'], GUEST, 'catalog', 'UNAUTHENTICATED'],
  [['user'], person('customer'), undefined, 'PERMISSION_DENIED'],
  [['user'], person('customer'), 'orders', 'PERMISSION_DENIED'],
  [['orders:read'], person('admin'), undefined, 'PERMISSION_DENIED'],
  [['orders:read'], person('admin'), 'catalog', 'PERMISSION_DENIED'],
  [['orders:read', 'service:ops'], GUEST, 'ops', 'in'],
  [['orders:read'], GUEST, 'orders:read', 'UNAUTHENTICATED'],
  [['service:orders'], GUEST, 'orders', 'in'],
  [['service:orders'], GUEST, 'gateway', 'PERMISSION_DENIED'],
  [['service:orders'], GUEST, undefined, 'PERMISSION_DENIED'],
  [['service:orders'], person('admin'), undefined, 'PERMISSION_DENIED'],
  [['service:orders'], program('orders:write'), undefined, 'PERMISSION_DENIED'],
  [['orders:write', 'service:orders'], GUEST, 'orders', 'in'],
  [['orders:write', 'service:orders'], GUEST, undefined, 'UNAUTHENTICATED'],
])('%j for %j called by %s: %s', (rules, principal, caller, expected) => {
  expect(outcome(rules, principal, caller)).toBe(expected);
});

it('knows the rules of a method, and that another has none', () => {
  class Controller {
    @Allow('orders:write', 'service:orders')
    guarded(): void {}
    open(): void {}
  }
  expect(rulesOf(Controller.prototype, 'guarded')).toEqual(['orders:write', 'service:orders']);
  expect(rulesOf(Controller.prototype, 'open')).toBeUndefined();
});

it('tells people from guests and from programs', () => {
  const everybody = [GUEST, person('customer'), program(), ENROLLING];
  expect(everybody.map(userIdOf)).toEqual([undefined, 'u1', undefined, undefined]);
  expect(everybody.map(subjectOf)).toEqual([undefined, 'u1', 'client:c1', undefined]);
});

it('gives an administrator every permission, also one that the token does not name', () => {
  expect(may({ ...person('admin'), permissions: [] } as Principal, 'keys:write')).toBe(true);
  expect(may(person('staff'), 'keys:write')).toBe(false);
});
