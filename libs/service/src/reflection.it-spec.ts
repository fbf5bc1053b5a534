import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { addReflection } from './reflection.js';

const PROTO = require.resolve('@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto');

let server: Server;
let client: Client;

beforeAll(async () => {
  server = new Server();
  addReflection(server, ['souk.orders.v1.OrdersService']);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});
afterAll(() => {
  client.close();
  server.forceShutdown();
});

interface Answer {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
}

function ask(question: object): Promise<Answer> {
  const service = loadSync(PROTO)['grpc.reflection.v1.ServerReflection'] as Record<
    string,
    { path: string; requestSerialize(message: object): Buffer; responseDeserialize(bytes: Buffer): object }
  >;
  const method = service['ServerReflectionInfo'];
  if (!method) throw new Error('no such method');
  return new Promise((resolve, reject) => {
    const call = client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
    call.on('data', (answer: Answer) => {
      call.end();
      resolve(answer);
    });
    call.on('error', reject);
    call.write(question);
  });
}

it('lists the services', async () => {
  const { listServicesResponse } = await ask({ listServices: '' });
  expect(listServicesResponse?.service.map(({ name }) => name)).toEqual(['souk.orders.v1.OrdersService']);
});

it('describes a message of theirs', async () => {
  const { fileDescriptorResponse } = await ask({ fileContainingSymbol: 'souk.orders.v1.Order' });
  expect(fileDescriptorResponse?.fileDescriptorProto.length).toBeGreaterThan(0);
});
