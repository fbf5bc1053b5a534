import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  callContext,
  createLogger,
  currentContext,
  inSpan,
  runInContext,
  startSpan,
  startTracing,
  stopTracing,
  type Logger,
} from '@souk/telemetry';
import { eventually, receiveSpans, type OtlpReceiver } from '@souk/testing';

const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const STATEMENT = { name: 'orders.insert', kind: 'client' } as const;

let receiver: OtlpReceiver;
let log: string[];

beforeEach(async () => {
  receiver = await receiveSpans();
  log = [];
});
afterEach(async () => {
  await stopTracing();
  receiver.close();
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
});

function logger(): Logger {
  const made = createLogger('orders', { write: (line) => void log.push(line) });
  made.level = 'warn';
  return made;
}

function start(env: Record<string, string> = {}): Promise<void> {
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  Object.assign(process.env, env);
  return startTracing('orders', logger());
}

const within = <T>(traceparent: string, work: () => Promise<T>) => runInContext({ requestId: 'r', traceparent }, work);

it('only does the work where nobody asked for traces', async () => {
  await startTracing('orders', logger());
  await within(PARENT, async () => {
    const context = currentContext();
    expect(startSpan(STATEMENT)).toBeUndefined();
    await inSpan(STATEMENT, async () => expect(currentContext()).toBe(context));
  });
});

it('tells of work within work, under the name of the service', async () => {
  await start();
  const outer = {
    name: 'PlaceOrder',
    kind: 'server',
    parent: PARENT,
    attributes: { 'rpc.system.name': 'grpc' },
  } as const;
  await inSpan(outer, () => inSpan(STATEMENT, async () => expect(callContext().traceparent).toContain('a'.repeat(32))));
  await stopTracing();
  const [inner, root] = receiver.spans;
  expect(root).toMatchObject({ service: 'orders', name: 'PlaceOrder', parentSpanId: 'b'.repeat(16) });
  expect(root?.attributes).toEqual({ 'rpc.system.name': 'grpc' });
  expect(inner).toMatchObject({ name: 'orders.insert', traceId: 'a'.repeat(32), parentSpanId: root?.spanId });
});

it('says of a failure its reason and nothing else', async () => {
  await start();
  const failing = async () => Promise.reject(Object.assign(new Error('ada@example.com'), { code: '23505' }));
  await expect(within(PARENT, () => inSpan(STATEMENT, failing))).rejects.toThrow('ada@example.com');
  await stopTracing();
  expect(receiver.spans).toMatchObject([{ failed: true, attributes: { 'error.type': '23505' } }]);
  expect(JSON.stringify(receiver.spans)).not.toContain('ada');
});

it('tells nothing of work that is done for no call', async () => {
  await start();
  await inSpan(STATEMENT, async () => expect(currentContext()).toBeUndefined());
  await stopTracing();
  expect(receiver.spans).toEqual([]);
});

it('keeps to what was decided where the trace began, and passes it on', async () => {
  await start();
  const unwanted = PARENT.replace(/01$/, '00');
  await within(unwanted, () => inSpan(STATEMENT, async () => expect(callContext().traceparent).toBe(unwanted)));
  await stopTracing();
  expect(receiver.spans).toEqual([]);
});

it('looks at a part of the traces where OTEL_TRACES_SAMPLER says so', async () => {
  await start({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' });
  const root = startSpan({ ...STATEMENT, parent: undefined });
  expect(root?.traceparent).toMatch(/-00$/);
  root?.end();
  await stopTracing();
  expect(receiver.spans).toEqual([]);
});

it('takes its name from OTEL_SERVICE_NAME', async () => {
  await start({ OTEL_SERVICE_NAME: 'shop-orders' });
  startSpan({ ...STATEMENT, parent: undefined })?.end();
  await stopTracing();
  expect(receiver.spans).toMatchObject([{ service: 'shop-orders' }]);
});

it.each([
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', 'half'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'carrier-pigeon'],
])('does not start with %s=%s', async (name, value) => {
  await expect(start({ [name]: value })).rejects.toThrow(`${name} is wrong`);
});

describe('a receiver that does not answer', () => {
  let silent: Server;
  let asked = 0;

  beforeEach(async () => {
    silent = createServer(() => void asked++);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    silent.close();
    silent.closeAllConnections();
  });

  it('costs neither time nor memory, and is complained of once', async () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT: '200', OTEL_BSP_MAX_QUEUE_SIZE: '100' });
    for (let n = 0; n < 5_000; n++) startSpan({ ...STATEMENT, parent: PARENT })?.end();
    await eventually(() => expect(log.length).toBeGreaterThan(0), { timeoutMs: 30_000 });
    const before = performance.now();
    await stopTracing();
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(log).toHaveLength(1);
    expect(asked).toBeLessThan(100);
  });
});
