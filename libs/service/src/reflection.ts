/**
 * Server reflection, so that grpcurl and its kin discover the services. The descriptors are read when somebody asks for
 * the first time: they take as much memory as the rest of a small service, and hardly anybody ever asks.
 */
import { readFileSync } from 'node:fs';
import type { Server, ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { DESCRIPTORS_PATH } from '@souk/proto/descriptors';

const VERSIONS = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];
const METHOD = 'ServerReflectionInfo';

type Stream = ServerDuplexStream<Buffer, Buffer>;
type Loaded = ReadonlyMap<string, { definition: ServiceDefinition; implementation: UntypedServiceImplementation }>;

/** @param services full names of the services to show */
export function addReflection(server: Pick<Server, 'addService'>, services: string[]): void {
  let loading: Promise<Loaded> | undefined;
  for (const version of VERSIONS) {
    const answer = (stream: Stream) => {
      loading ??= load(services);
      loading.then(
        (loaded) => delegate(loaded, version, stream),
        (error: Error) => stream.destroy(error),
      );
    };
    server.addService(rawDefinition(version), { [METHOD]: answer });
  }
}

/** The reflection service as bytes; what the bytes mean is known once it is loaded. */
function rawDefinition(version: string): ServiceDefinition {
  const asIs = (bytes: Buffer) => bytes;
  return {
    [METHOD]: {
      path: `/${version}/${METHOD}`,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
}

async function load(services: string[]): Promise<Loaded> {
  const [{ loadFileDescriptorSetFromBuffer }, { ReflectionService }] = await Promise.all([
    import('@grpc/proto-loader'),
    import('@grpc/reflection'),
  ]);
  const loaded = new Map<string, { definition: ServiceDefinition; implementation: UntypedServiceImplementation }>();
  const contracts = loadFileDescriptorSetFromBuffer(readFileSync(DESCRIPTORS_PATH));
  new ReflectionService(contracts, { services }).addToServer({
    addService: (definition, implementation) => {
      const [method] = Object.values(definition);
      loaded.set(method?.path.split('/')[1] ?? '', { definition, implementation });
    },
  });
  return loaded;
}

/** Hands a stream of bytes to the loaded service, which speaks in messages. */
function delegate(loaded: Loaded, version: string, stream: Stream): void {
  const { definition, implementation } = loaded.get(version) ?? {};
  const method = definition?.[METHOD];
  const handler = implementation?.[METHOD];
  if (!method || !handler) return void stream.end();
  const messages = {
    on: (event: string, listener: (message?: unknown) => void) => {
      stream.on(event, (bytes?: Buffer) => listener(bytes && method.requestDeserialize(bytes)));
    },
    write: (message: unknown) => stream.write(method.responseSerialize(message)),
    end: () => stream.end(),
  };
  (handler as unknown as (stream: typeof messages) => void)(messages);
}
