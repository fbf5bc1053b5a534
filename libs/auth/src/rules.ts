/**
 * Who may call what. Every RPC declares its rule with `@Allow`; one without a rule keeps its service from starting, so
 * that nothing is open by oversight. Rules about single objects (my order, my cart) are the use case's business.
 */
import { DomainError } from '@souk/errors';
import { isPermission, type Permission } from './permissions.js';
import { isAdmin, isStaff, may, type Principal } from './principal.js';

/**
 * `service:orders` lets the orders service in, and nobody else; a permission lets in whoever has it, people and programs.
 * Several rules are alternatives.
 */
export type Rule = 'anyone' | 'user' | 'staff' | 'admin' | Permission | `service:${string}`;

const RULES = new WeakMap<object, Map<string, readonly Rule[]>>();

/** Declares who may call the decorated RPC. */
export function Allow(...rules: [Rule, ...Rule[]]): MethodDecorator {
  return (prototype, method) => {
    const declared = RULES.get(prototype) ?? new Map<string, readonly Rule[]>();
    declared.set(String(method), rules);
    RULES.set(prototype, declared);
  };
}

/** The rules that a controller's method declares; undefined where it declares none. */
export function rulesOf(prototype: object, method: string): readonly Rule[] | undefined {
  return RULES.get(prototype)?.get(method);
}

/**
 * Refuses a call that none of the rules lets in.
 * @param caller name of the Souk service that calls; undefined where it did not prove to be one
 * @throws DomainError UNAUTHENTICATED for a guest who could log in, PERMISSION_DENIED for everyone else
 */
export function authorize(rules: readonly Rule[], principal: Principal, caller: string | undefined): void {
  if (rules.some((rule) => satisfies(rule, principal, caller))) return;
  const couldLogIn = principal.kind === 'guest' && rules.some((rule) => !rule.startsWith('service:'));
  if (couldLogIn) {
    throw new DomainError({
      kind: 'unauthenticated',
      reason: 'UNAUTHENTICATED',
      message: 'Log in and send the access token.',
    });
  }
  throw new DomainError({ kind: 'forbidden', reason: 'PERMISSION_DENIED', message: 'You may not do this.' });
}

function satisfies(rule: Rule, principal: Principal, caller: string | undefined): boolean {
  switch (rule) {
    case 'anyone':
      return true;
    case 'user':
      return principal.kind === 'user';
    case 'staff':
      return isStaff(principal);
    case 'admin':
      return isAdmin(principal);
    default:
      return isPermission(rule) ? may(principal, rule) : caller !== undefined && rule === `service:${caller}`;
  }
}
