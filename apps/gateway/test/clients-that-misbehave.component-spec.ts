import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '@souk/testing';
import { orderBody, placed } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
let placedOrders: number;

beforeAll(async () => void (gateway = await runGateway({ SOUK_BODY_TIMEOUT_MS: '300' })));
afterAll(() => gateway.stop());
beforeEach(() => {
  placedOrders = 0;
  gateway.services.answers.orders.placeOrder = async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    placedOrders += 1;
    return placed();
  };
});

/** Opens a connection and sends the head of an order, with as much of its body. */
async function sendOrder(length: number, body: string): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const headers = ['Host: souk', 'Content-Type: application/json', 'Idempotency-Key: k', `Content-Length: ${length}`];
  socket.write(`POST /v1/orders HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  return socket;
}

/** All that comes back until the gateway closes the connection. */
async function answerOn(socket: Socket): Promise<string> {
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  await once(socket, 'close');
  return answer;
}

it('refuses a body that is larger than 1 MiB, announced or not (F13)', async () => {
  const large = JSON.stringify({ ...orderBody(), email: 'a'.repeat(1024 * 1024) });
  const headers = { 'content-type': 'application/json', 'Idempotency-Key': 'k' };
  for (const body of [large, new Blob([large]).stream()]) {
    const response = await gateway.fetch('/v1/orders', {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ reason: 'BODY_TOO_LARGE' });
  }
  expect(placedOrders).toBe(0);
});

it('cuts off a client that sends its body too slowly (F13)', async () => {
  const body = JSON.stringify(orderBody());
  const socket = await sendOrder(body.length, body.slice(0, 10));
  const dripping = setInterval(() => socket.write(' '), 50);
  const answer = await answerOn(socket);
  clearInterval(dripping);
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  expect(answer).toContain('"reason":"BODY_TOO_SLOW"');
  expect(placedOrders).toBe(0);
});

it('places nothing for a client that goes away in the middle of its body (F13)', async () => {
  const body = JSON.stringify(orderBody());
  const socket = await sendOrder(body.length, body.slice(0, 10));
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(placedOrders).toBe(0);
});

it('finishes the order of a client that went away before the answer (F2, F13)', async () => {
  const body = JSON.stringify(orderBody());
  const socket = await sendOrder(body.length, body);
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
  await eventually(() => expect(placedOrders).toBe(1));
});
