import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@souk/infra';
import { Wire } from './wire.ts';

let echo: Server;
let wire: Wire;
let port: number;
let arrived: string;
const sockets: Socket[] = [];

beforeEach(async () => {
  arrived = '';
  echo = createServer((socket) => {
    sockets.push(socket);
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        arrived += data.toString();
        socket.write(data);
      });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  port = await freePort();
  wire = new Wire(port, (echo.address() as AddressInfo).port);
  await wire.open();
});

afterEach(() => {
  wire.close();
  sockets.splice(0).forEach((socket) => socket.destroy());
  echo.close();
});

async function caller() {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  let closed = false;
  socket.on('data', (data) => (text += data.toString()));
  socket.on('error', () => undefined).on('close', () => (closed = true));
  await once(socket, 'connect');
  return { socket, heard: () => text, closed: () => closed };
}

async function soon(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 100 && !holds(); attempt++) await sleep(20);
  expect(holds()).toBe(true);
}

it('passes everything on, in order', async () => {
  const { socket, heard } = await caller();
  const text = Array.from({ length: 20_000 }, (_, n) => `${n} `).join('');
  socket.write(text);
  await soon(() => heard() === text);
});

it('breaks connections when it is cut, refuses new ones, and takes them again afterwards', async () => {
  const { closed } = await caller();
  await wire.become({ kind: 'cut' });
  await soon(closed);
  await expect(caller()).rejects.toThrow('ECONNREFUSED');
  await wire.become(undefined);
  const { socket, heard } = await caller();
  socket.write('again');
  await soon(() => heard() === 'again');
});

it('holds everything back while it is silent, and delivers it late', async () => {
  const { socket, heard } = await caller();
  await wire.become({ kind: 'silent', direction: 'both' });
  socket.write('late');
  await sleep(200);
  expect(arrived).toBe('');
  await wire.become(undefined);
  await soon(() => heard() === 'late');
});

it('loses the answer, and not the request, where it is silent on the way back', async () => {
  const { socket, heard, closed } = await caller();
  await wire.become({ kind: 'silent', direction: 'back' });
  socket.write('done');
  await soon(() => arrived === 'done');
  await sleep(100);
  expect(heard()).toBe('');
  await wire.become(undefined, true);
  await soon(closed);
  expect(heard()).toBe('');
});

it('tells nobody of an end while it is silent', async () => {
  const { closed } = await caller();
  await soon(() => sockets.length === 2);
  await wire.become({ kind: 'silent', direction: 'both' });
  sockets[1]?.resetAndDestroy();
  await sleep(150);
  expect(closed()).toBe(false);
  await wire.become(undefined);
  await soon(closed);
});

it('delays every byte where it is slow', async () => {
  const { socket, heard } = await caller();
  await wire.become({ kind: 'slow', delayMs: 150 });
  const began = Date.now();
  socket.write('slow');
  await soon(() => heard() === 'slow');
  expect(Date.now() - began).toBeGreaterThanOrEqual(290);
});
