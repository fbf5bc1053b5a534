/**
 * Who may call what. Every RPC declares its rule with `@Allow`; one without a rule keeps its service from starting, so
 * that nothing is open by oversight. Rules about single objects (my order, my cart) are the use case's business.
 */
import { DomainError } from '@souk/errors';
import { isPermission, type Permission } from './permissions.js';
import { may, type Principal } from './principal.js';

/**
 * Several rules are alternatives. `service:orders` lets the orders service in, and nobody else. `anyone`, `user` and
 * permissions are about the principal, whom the gateway speaks for; a program may speak for itself. No other service
 * passes them, whomever it brings a token of. `enrolling` lets in people who must set up a second factor before anything
 * else. `public` lets in whoever reaches the port.
 */
export type Rule = 'public' | 'anyone' | 'user' | 'enrolling' | Permission | `service:${string}`;

/** The service that speaks for people, and for guests. */
export const GATEWAY = 'gateway';

const RULES = new WeakMap<object, Map<string, readonly Rule[]>>();
const PRIVILEGES = new WeakMap<object, Map<string, Permission>>();

/** Declares who may call the decorated RPC. */
export function Allow(...rules: [Rule, ...Rule[]]): MethodDecorator {
  return (prototype, method) => {
    const declared = RULES.get(prototype) ?? new Map<string, readonly Rule[]>();
    declared.set(String(method), rules);
    RULES.set(prototype, declared);
  };
}

/**
 * Says of an RPC for anyone, or for users, which permission reaches the objects of others there: a call by who has it is recorded
 * like one that a permission let in.
 */
export function Privileged(permission: Permission): MethodDecorator {
  return (prototype, method) => {
    const declared = PRIVILEGES.get(prototype) ?? new Map<string, Permission>();
    declared.set(String(method), permission);
    PRIVILEGES.set(prototype, declared);
  };
}

/** The permission that a controller's method declares with `@Privileged`; undefined where it declares none. */
export function privilegeOf(prototype: object, method: string): Permission | undefined {
  return PRIVILEGES.get(prototype)?.get(method);
}

/** The rules that a controller's method declares; undefined where it declares none. */
export function rulesOf(prototype: object, method: string): readonly Rule[] | undefined {
  return RULES.get(prototype)?.get(method);
}

/**
 * Refuses a call that none of the rules lets in.
 * @param caller name of the Souk service that calls; undefined where it did not prove to be one
 * @returns the rules that let it in
 * @throws DomainError UNAUTHENTICATED for a guest who could log in, SECOND_FACTOR_REQUIRED for who must set one up first,
 * PERMISSION_DENIED for everyone else
 */
export function authorize(rules: readonly Rule[], principal: Principal, caller: string | undefined): Rule[] {
  const fulfilled = rules.filter((rule) => satisfies(rule, principal, caller));
  if (fulfilled.length > 0) return fulfilled;
  const couldLogIn = principal.kind === 'guest' && rules.some((rule) => !rule.startsWith('service:'));
  if (couldLogIn) {
    throw new DomainError({
      kind: 'unauthenticated',
      reason: 'UNAUTHENTICATED',
      message: 'Log in and send the access token.',
    });
  }
  if (principal.kind === 'enrolling') {
    throw new DomainError({
      kind: 'forbidden',
      reason: 'SECOND_FACTOR_REQUIRED',
      message: 'Set up a second factor and refresh the session first.',
    });
  }
  throw new DomainError({ kind: 'forbidden', reason: 'PERMISSION_DENIED', message: 'You may not do this.' });
}

function satisfies(rule: Rule, principal: Principal, caller: string | undefined): boolean {
  if (rule === 'public') return true;
  if (rule.startsWith('service:')) return caller !== undefined && rule === `service:${caller}`;
  if (!isSpokenFor(principal, caller)) return false;
  if (rule === 'anyone') return true;
  if (rule === 'user' || rule === 'enrolling') return principal.kind === rule;
  return isPermission(rule) && may(principal, rule);
}

function isSpokenFor(principal: Principal, caller: string | undefined): boolean {
  return caller === GATEWAY || (caller === undefined && principal.kind === 'client');
}
