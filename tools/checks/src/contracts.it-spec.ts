// Each check of the contracts is shown to find what it looks for, in a small repository of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  fixtureProblems,
  handlerProblems,
  readContract,
  undocumented,
  unpublishedEvents,
  type Contract,
} from './contracts.ts';

const CONTRACT: Contract = {
  events: [{ app: 'apps/orders', fullName: 'souk.orders.v1.OrderPlaced' }],
  services: [
    { app: 'apps/orders', name: 'OrdersService', fullName: 'souk.orders.v1.OrdersService', rpcs: ['PlaceOrder'] },
  ],
};

let root: string;

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'souk-contracts-'))));
afterEach(() => rmSync(root, { recursive: true }));

it('asks for everything that an empty app lacks', () => {
  expect(fixtureProblems(CONTRACT, root)).toHaveLength(1);
  expect(unpublishedEvents(CONTRACT, root)).toHaveLength(1);
  expect(handlerProblems(CONTRACT, root)).toEqual(['apps/orders: OrdersService.PlaceOrder has no handler']);
  expect(undocumented(CONTRACT, root)).toHaveLength(3);
});

it('is content with an app that keeps its contract', () => {
  write('proto/fixtures/souk.orders.v1.OrderPlaced.json', '{}');
  write('apps/orders/README.md', '`OrdersService.PlaceOrder`, `OrderPlaced`');
  write('apps/orders/src/orders.events.ts', 'publish(OrderPlaced);');
  write(
    'apps/orders/src/orders.grpc.ts',
    "@RpcController(OrdersServiceService)\nexport class Orders {\n  @Allow('anyone')\n  placeOrder() {}\n}\n",
  );
  const checks = [fixtureProblems, unpublishedEvents, handlerProblems, undocumented];
  expect(checks.flatMap((check) => check(CONTRACT, root))).toEqual([]);
});

it('finds an RPC that anybody could call, for want of a rule', () => {
  write('apps/orders/src/o.ts', '@RpcController(OrdersServiceService)\nexport class Orders {\n  placeOrder() {}\n}\n');
  expect(handlerProblems(CONTRACT, root)).toEqual(['apps/orders: OrdersService.PlaceOrder lacks @Allow']);
});

it('does not take a comment or a test for a publisher', () => {
  write('apps/orders/src/orders.ts', '// publishes OrderPlaced\n');
  write('apps/orders/src/orders.spec.ts', 'publish(OrderPlaced);\n');
  expect(unpublishedEvents(CONTRACT, root)).toHaveLength(1);
});

it('finds fixtures of no event and fixtures that are broken', () => {
  write('proto/fixtures/souk.orders.v1.OrderPlaced.json', '{');
  write('proto/fixtures/souk.orders.v1.OrderLost.json', '{}');
  expect(fixtureProblems(CONTRACT, root)).toEqual([
    'proto/fixtures/souk.orders.v1.OrderLost.json belongs to no event',
    'proto/fixtures/souk.orders.v1.OrderPlaced.json is no JSON',
  ]);
});

it('reads services and events out of proto/', async () => {
  const { events, services } = await readContract();
  expect(events).toContainEqual({ app: 'apps/orders', fullName: 'souk.orders.v1.OrderPlaced' });
  expect(services.find(({ name }) => name === 'OrdersService')?.rpcs).toContain('PlaceOrder');
});
