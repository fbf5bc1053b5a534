// An instance of a service as a process of its own, so that tests can kill it and stop its clock: answers every call of one RPC with
// nothing, and its health check, and tells how many calls it got when it is asked.
const { Server, ServerCredentials } = require('@grpc/grpc-js');

const [path, port, workMs] = process.argv.slice(2);
const asIs = (bytes) => bytes;
const method = (at) => ({
  path: at,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

let calls = 0;
const server = new Server();
server.addService(
  { call: method(path), check: method('/grpc.health.v1.Health/Check') },
  {
    call: (_call, callback) => {
      calls++;
      setTimeout(() => callback(null, Buffer.alloc(0)), Number(workMs));
    },
    check: (_call, callback) => callback(null, Buffer.from([0x08, 0x01])),
  },
);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  process.send({ port: bound });
});
process.on('message', () => process.send({ calls }));
process.on('disconnect', () => process.exit(0));
