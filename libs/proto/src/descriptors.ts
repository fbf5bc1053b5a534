import { fileURLToPath } from 'node:url';

/** Path of the contracts as a binary `google.protobuf.FileDescriptorSet`, for server reflection. */
export const DESCRIPTORS_PATH = fileURLToPath(new URL('../descriptors.binpb', import.meta.url));
