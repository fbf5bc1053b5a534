export { currentPrincipal } from './caller.js';
export type { TlsFiles } from './certificates.js';
export { rpcClient, type RpcClientOptions } from './client.js';
export { definitionOf, RpcController, type ControllerClass } from './controller.js';
export { serviceName, type CallOptions, type Handlers, type RpcClient, type ServiceDefinition } from './definition.js';
export { fromServiceError, toStatus } from './errors.js';
export { METADATA } from './metadata.js';
export { RpcServer, type RpcServerOptions } from './server.js';
export { identityKeys } from './signing-keys.js';
