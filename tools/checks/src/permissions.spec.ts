import { accessProblems, callersOf, permissionsPage } from './permissions.ts';

const GRANTS = {
  PERMISSIONS: { 'orders:read': 'Read all orders' },
  BUILT_IN_ROLES: { customer: [], staff: ['orders:read'] },
  recordingOf: (name: string) => (name === 'B' ? ('refusals' as const) : ('before' as const)),
};

const problemsOf = (rules: string[] | undefined) => ({
  rpc: accessProblems({ routes: [], rpcs: [{ name: 'x', rules }] }, GRANTS, ['orders']),
  route: accessProblems({ routes: [{ name: 'x', rules }], rpcs: [] }, GRANTS, ['orders']),
});

it('finds what says nothing about who may use it', () => {
  const problem = ['x does not say, in words, who may use it'];
  expect([undefined, []].map(problemsOf)).toEqual(Array(2).fill({ rpc: problem, route: problem }));
});

it('finds rules that name a permission or a service that there is not', () => {
  expect(problemsOf(['orders:read', 'anyone'])).toEqual({ rpc: [], route: [] });
  expect(problemsOf(['orders:raed']).rpc).toEqual(['x names orders:raed, which there is not']);
  expect(problemsOf(['service:oders']).rpc).toEqual(['x names service:oders, which there is not']);
  expect(problemsOf(['service:orders']).rpc).toEqual([]);
  expect(problemsOf(['service:orders']).route).toEqual(['x names service:orders, which there is not']);
});

it('tells by whom a rule lets an RPC be called', () => {
  expect(callersOf(['orders:read', 'service:ops'])).toEqual(['gateway', 'programs', 'ops']);
  expect(callersOf(['service:orders', 'service:ops'])).toEqual(['orders', 'ops']);
  expect(callersOf(['public'])).toEqual(['whoever reaches the port']);
});

it('writes a row for each permission, route and RPC', () => {
  const page = permissionsPage(
    { routes: [{ name: 'GET /v1/orders', rules: ['user'] }], rpcs: [{ name: 'souk.A/B', rules: ['service:orders'] }] },
    GRANTS,
  );
  expect(page).toContain('| `orders:read` | Read all orders |          | yes   |');
  expect(page).toContain('| `GET /v1/orders` | `user` |');
  expect(page).toContain('| `souk.A/B` | `service:orders` | orders    | refusals |');
});
