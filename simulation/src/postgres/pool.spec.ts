import { Host } from '../host.ts';
import { Network } from '../network.ts';
import { Random } from '../random.ts';
import { Scheduler } from '../scheduler.ts';
import { schemaOf } from './migrations.ts';
import { Planner } from './planner.ts';
import { SimulatedPool } from './pool.ts';
import { PostgresServer } from './server.ts';

const CALM = { late: 0, lateMs: 0, lost: 0, doubled: 0, cut: 0 };
const schema = schemaOf(['CREATE TABLE item (id integer PRIMARY KEY);']);
const planner = new Planner(schema);

describe('a connection to the simulated Postgres', () => {
  /** Commits a row over a connection that breaks at the commit. @returns what the client hears and what is stored */
  async function commitOver(seed: number) {
    const scheduler = new Scheduler(0);
    const server = new PostgresServer(scheduler, schema, planner);
    const network = new Network(new Random(seed), CALM);
    const pool = new SimulatedPool({ scheduler, network, server, host: new Host('a') });
    const work = async () => {
      const client = await pool.connect();
      await client.query('BEGIN');
      await client.query('INSERT INTO item (id) VALUES (1)');
      network.weather = { ...CALM, cut: 1 };
      return client.query('COMMIT').then(
        () => 'committed',
        (error: unknown) => (error as { code: string }).code,
      );
    };
    const heard = work();
    await scheduler.run(() => false);
    return { heard: await heard, rows: server.rows('item').length };
  }

  it('breaks at a commit so that nobody knows whether it was done', async () => {
    const seen = await Promise.all(Array.from({ length: 20 }, (_, seed) => commitOver(seed)));
    expect(new Set(seen.map(({ heard }) => heard))).toEqual(new Set(['ECONNRESET']));
    expect(new Set(seen.map(({ rows }) => rows))).toEqual(new Set([0, 1]));
  });

  it('ends with its process, and gives back what was not committed', async () => {
    const scheduler = new Scheduler(0);
    const server = new PostgresServer(scheduler, schema, planner);
    const wiring = { scheduler, network: new Network(new Random(1), CALM), server };
    const [dead, alive] = [new Host('dead'), new Host('alive')];
    const insert = async (host: Host) => {
      const client = await new SimulatedPool({ ...wiring, host }).connect();
      await client.query('BEGIN');
      await client.query('INSERT INTO item (id) VALUES (1)');
      return client;
    };
    void insert(dead);
    await scheduler.run(() => scheduler.now > 50);
    let isThrough = false;
    void insert(alive).then(async (client) => {
      await client.query('COMMIT');
      isThrough = true;
    });
    scheduler.after(100, () => expect(isThrough).toBe(false));
    scheduler.after(200, () => dead.kill());
    await scheduler.run(() => false);
    expect({ isThrough, rows: server.rows('item').length }).toEqual({ isThrough: true, rows: 1 });
  });
});
