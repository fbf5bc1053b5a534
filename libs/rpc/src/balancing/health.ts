// The one call of grpc.health.v1 that is made: an empty request asks for the whole server, and the answer's only field is an enum.
import type { Client, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';

const PATH = '/grpc.health.v1.Health/Check';
const NOT_SERVING = Buffer.from([0x08, 0x02]);
const EMPTY = Buffer.alloc(0);
const asIs = (bytes: Buffer) => bytes;

/** What an instance says of itself; `silent` is one that says nothing. A server without a health check serves. */
export type Health = 'serving' | 'not serving' | 'silent';

export function checkHealth(client: Client, timeoutMs: number, answer: (health: Health) => void): void {
  const settle = (error: ServiceError | null, bytes?: Buffer) => answer(error ? healthOf(error) : meaning(bytes));
  client.makeUnaryRequest(PATH, asIs, asIs, EMPTY, { deadline: Date.now() + timeoutMs }, settle);
}

function meaning(bytes: Buffer | undefined): Health {
  return bytes?.equals(NOT_SERVING) ? 'not serving' : 'serving';
}

function healthOf({ code }: ServiceError): Health {
  return code === status.UNIMPLEMENTED || code === status.NOT_FOUND ? 'serving' : 'silent';
}
