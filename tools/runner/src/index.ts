/** What other tools may ask of a local Souk: where it keeps its state and what runs. */
export { localProof } from './certificates.ts';
export { dataFolder, GRPC_SERVICES, layout, ROOT, SERVICES, type GrpcService, type ServiceName } from './layout.ts';
export { readRun, type RunState } from './run-record.ts';
export { loadSecrets, type Secrets } from './secrets.ts';
