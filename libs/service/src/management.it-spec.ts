import { createLogger, metrics } from '@souk/telemetry';
import { startManagement, type ManagementServer } from './management.js';

let server: ManagementServer;

beforeAll(async () => {
  server = await startManagement('127.0.0.1', 0, createLogger('test'));
});
afterAll(() => server.close());

const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });

it("serves the metrics in Prometheus' text form", async () => {
  metrics.gauge('payments_unsettled').set({ state: 'PROCESSING' }, 3);
  const response = await ask('/metrics');
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  expect(text).toContain('payments_unsettled{state="PROCESSING"} 3');
  expect(text).toContain('process_resident_memory_bytes');
});

it.each([
  ['GET', '/', 404],
  ['POST', '/metrics', 405],
])('answers %s %s with %d', async (method, path, status) => {
  expect((await ask(path, method)).status).toBe(status);
});

it('does not start on a port that is taken', async () => {
  await expect(startManagement('127.0.0.1', server.port, createLogger('test'))).rejects.toThrow('EADDRINUSE');
});
