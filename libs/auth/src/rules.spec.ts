import { GUEST, isStaff, userIdOf, type Principal, type Role } from './principal.js';
import { Allow, authorize, rulesOf, type Rule } from './rules.js';

const person = (...roles: Role[]): Principal => ({ kind: 'user', userId: 'u1', email: 'u1@example.com', roles });
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
  [['user'], GUEST, undefined, 'UNAUTHENTICATED'],
  [['user'], person('customer'), undefined, 'in'],
  [['staff'], person('customer'), undefined, 'PERMISSION_DENIED'],
  [['staff'], person('staff'), undefined, 'in'],
  [['staff'], person('admin'), undefined, 'in'],
  [['admin'], person('staff'), undefined, 'PERMISSION_DENIED'],
  [['admin'], person('admin'), undefined, 'in'],
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

it('tells people from guests', () => {
  expect([userIdOf(GUEST), userIdOf(person('customer'))]).toEqual([undefined, 'u1']);
  expect([isStaff(GUEST), isStaff(person('customer')), isStaff(person('staff'))]).toEqual([false, false, true]);
});
