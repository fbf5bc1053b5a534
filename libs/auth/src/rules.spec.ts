import type { Permission, Role } from './permissions.js';
import { GUEST, isStaff, may, subjectOf, userIdOf, type Principal } from './principal.js';
import { Allow, authorize, rulesOf, type Rule } from './rules.js';

const person = (...roles: Role[]): Principal => ({
  kind: 'user',
  userId: 'u1',
  email: 'u1@example.com',
  emailVerified: true,
  roles,
  permissions: [],
  sessionId: 's1',
});
const withPermission = (...permissions: Permission[]): Principal => ({
  ...(person('customer') as Principal & { kind: 'user' }),
  permissions,
});
const program = (...permissions: Permission[]): Principal => ({ kind: 'client', clientId: 'c1', permissions });

const outcome = (rules: Rule[], principal: Principal, caller?: string): string => {
  try {
    authorize(rules, principal, caller);
    return 'in';
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};

it.each<[Rule[], Principal, string | undefined, string]>([
  [['anyone'], GUEST, undefined, 'in'],
  [['anyone'], program(), undefined, 'in'],
  [['user'], GUEST, undefined, 'UNAUTHENTICATED'],
  [['user'], person('customer'), undefined, 'in'],
  [['user'], program('orders:read'), undefined, 'PERMISSION_DENIED'],
  [['staff'], person('customer'), undefined, 'PERMISSION_DENIED'],
  [['staff'], person('staff'), undefined, 'in'],
  [['staff'], person('admin'), undefined, 'in'],
  [['staff'], withPermission('orders:read'), undefined, 'PERMISSION_DENIED'],
  [['staff'], program('orders:read'), undefined, 'PERMISSION_DENIED'],
  [['admin'], person('staff'), undefined, 'PERMISSION_DENIED'],
  [['admin'], person('admin'), undefined, 'in'],
  [['orders:read'], GUEST, undefined, 'UNAUTHENTICATED'],
  [['orders:read'], person('customer'), undefined, 'PERMISSION_DENIED'],
  [['orders:read'], withPermission('orders:write'), undefined, 'PERMISSION_DENIED'],
  [['orders:read'], withPermission('orders:read'), undefined, 'in'],
  [['orders:read'], program('orders:read'), undefined, 'in'],
  [['orders:read'], program('orders:write'), undefined, 'PERMISSION_DENIED'],
  [['orders:read'], person('admin'), undefined, 'in'],
  [['orders:read', 'service:ops'], GUEST, 'ops', 'in'],
  [['orders:read'], GUEST, 'orders:read', 'UNAUTHENTICATED'],
  [['service:orders'], GUEST, 'orders', 'in'],
  [['service:orders'], GUEST, 'gateway', 'PERMISSION_DENIED'],
  [['service:orders'], GUEST, undefined, 'PERMISSION_DENIED'],
  [['service:orders'], person('admin'), undefined, 'PERMISSION_DENIED'],
  [['staff', 'service:orders'], GUEST, 'orders', 'in'],
  [['staff', 'service:orders'], GUEST, undefined, 'UNAUTHENTICATED'],
])('%j for %j called by %s: %s', (rules, principal, caller, expected) => {
  expect(outcome(rules, principal, caller)).toBe(expected);
});

it('knows the rules of a method, and that another has none', () => {
  class Controller {
    @Allow('staff', 'service:orders')
    guarded(): void {}
    open(): void {}
  }
  expect(rulesOf(Controller.prototype, 'guarded')).toEqual(['staff', 'service:orders']);
  expect(rulesOf(Controller.prototype, 'open')).toBeUndefined();
});

it('tells people from guests and from programs', () => {
  expect([GUEST, person('customer'), program()].map(userIdOf)).toEqual([undefined, 'u1', undefined]);
  expect([GUEST, person('customer'), program()].map(subjectOf)).toEqual([undefined, 'u1', 'client:c1']);
  expect([GUEST, person('customer'), person('staff'), program('users:read')].map(isStaff)).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

it('gives an administrator every permission, also one that the token does not name', () => {
  expect(may(person('admin'), 'keys:write')).toBe(true);
  expect(may(person('staff'), 'keys:write')).toBe(false);
});
