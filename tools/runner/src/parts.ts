/** What a start is made of, for tools that put a Souk together in another way, such as with several replicas. */
export { isTlsOn, keepCertificates } from './certificates.ts';
export { sandboxEnvironment, serviceEnvironment, type Environment, type EnvironmentPlan } from './environment.ts';
export { LogOutput } from './log-output.ts';
export type { PortPlan } from './port-plan.ts';
export { prepareDatabases } from './prepare-databases.ts';
export { answersOk, listens, waitUntil } from './readiness.ts';
export { launchNode } from './service-process.ts';
export { Supervised, type Launched } from './supervised.ts';
