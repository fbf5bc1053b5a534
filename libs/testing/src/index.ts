export { eventually } from './eventually.js';
export { fakeService } from './fake-service.js';
export type { FakeCall, FakeHandlers, FakeService } from './fake-service.js';
export { tcpProxy } from './tcp-proxy.js';
export type { TcpProxy } from './tcp-proxy.js';
export { testDatabase, workspacePath } from './test-database.js';
export type { TestDatabase } from './test-database.js';
export { testNats } from './test-nats.js';
export type { TestNats } from './test-nats.js';
