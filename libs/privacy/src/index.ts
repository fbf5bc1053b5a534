export { MOST_ORDER_IDS, PersonalData } from './personal-data.js';
export type { ErasedPage, ExportedPage, Subject, Treatment } from './personal-data.js';
export { PrivacyGrpc } from './privacy.grpc.js';
