import { readFileSync } from 'node:fs';
import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { DESCRIPTORS_PATH } from '@souk/proto/descriptors';

/** Lets grpcurl and its kin discover the given services. */
export function addReflection(server: Server, services: string[]): void {
  const contracts = loadFileDescriptorSetFromBuffer(readFileSync(DESCRIPTORS_PATH));
  new ReflectionService(contracts, { services }).addToServer(server);
}
