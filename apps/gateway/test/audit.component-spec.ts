import type { AuditRecord, ListRecordsRequest, Refusal } from '@souk/proto/audit/v1';
import { eventually } from '@souk/testing';
import { AUDITED } from '../src/config.js';
import { ORDER_ID } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
let auditor: string;

beforeAll(async () => {
  gateway = await runGateway();
  auditor = await gateway.identity.tokenFor({ userId: 'u9', roles: ['admin'] });
});
afterAll(() => gateway.stop());

interface Page {
  items: { chain: string; sequence: number; time: string }[];
  nextCursor: string | null;
}

const list = async (query: string): Promise<Page> =>
  (await (await gateway.fetch(`/v1/audit?${query}`, { token: auditor })).json()) as Page;

function aRecord(sequence: number, second: number): AuditRecord {
  return {
    sequence: BigInt(sequence),
    callId: 'c1',
    time: new Date(Date.UTC(2026, 4, 1, 12, 0, second)),
    service: 'payments',
    action: 'souk.payments.v1.PaymentsService/RefundPayment',
    principalKind: 'user',
    principalId: 'u1',
    roles: ['staff'],
    sessionId: 's1',
    caller: 'gateway',
    source: '192.0.2.7',
    requestId: 'r1',
    objectType: 'order',
    objectId: ORDER_ID,
    outcome: 'allowed',
    reason: 'orders:refund',
    count: 1,
    previousHash: '',
    hash: 'ab',
  };
}

/** Answers pages of these records, which are newest first. */
function keeps(records: AuditRecord[]) {
  return ({ pageSize, pageToken }: ListRecordsRequest) => {
    const from = records.findIndex(({ time, sequence }) => `${time?.getTime()}-${sequence}` === pageToken) + 1;
    const page = records.slice(from, from + pageSize);
    const more = records.length > from + pageSize;
    return { records: page, nextPageToken: more ? `${page.at(-1)?.time?.getTime()}-${page.at(-1)?.sequence}` : '' };
  };
}

describe('the list of who did what', () => {
  it('is that of all services by time, page by page, each record once', async () => {
    const { audits } = gateway.services.answers;
    audits.orders.listRecords = keeps([aRecord(3, 9), aRecord(2, 5), aRecord(1, 1)]);
    audits.payments.listRecords = keeps([aRecord(2, 8), aRecord(1, 4)]);
    audits.notifications.listRecords = keeps([aRecord(1, 6)]);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 9; pages += 1) {
      const page: Page = await list(`limit=2&cursor=${cursor}`);
      seen.push(...page.items.map(({ chain, sequence }) => `${chain} ${sequence}`));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['orders 3', 'payments 2', 'notifications 1', 'orders 2', 'payments 1', 'orders 1']);
  });

  it('asks every service with the filters, and shows what they keep', async () => {
    const asked: ListRecordsRequest[] = [];
    for (const service of AUDITED) {
      gateway.services.answers.audits[service].listRecords = (request) => {
        asked.push(request);
        return { records: service === 'payments' ? [aRecord(7, 3)] : [], nextPageToken: '' };
      };
    }
    const from = '2026-05-01T00:00:00Z';
    const page = await list(`who=u1&object=${ORDER_ID}&action=RefundPayment&outcome=allowed&from=${from}&to=${from}`);
    expect(page).toMatchObject({
      items: [
        {
          chain: 'payments',
          sequence: 7,
          who: { kind: 'user', id: 'u1', roles: ['staff'], session: 's1' },
          object: { type: 'order', id: ORDER_ID },
          outcome: 'allowed',
          source: '192.0.2.7',
        },
      ],
      nextCursor: null,
    });
    const time = new Date(from);
    const filter = { principalId: 'u1', objectId: ORDER_ID, action: 'RefundPayment', outcome: 'allowed' };
    expect(asked).toEqual(
      AUDITED.map(() => ({ ...filter, fromTime: time, toTime: time, pageSize: 20, pageToken: '' })),
    );
  });

  it.each(['bm9uc2Vuc2U', 'eyJvcmRlcnMiOiJ4In0'])('refuses the cursor %s, which it never gave', async (cursor) => {
    const response = await gateway.fetch(`/v1/audit?cursor=${cursor}`, { token: auditor });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });
});

describe('what the gateway refuses by itself', () => {
  it('is kept by identity, repeated refusals as a count', async () => {
    const kept: Refusal[] = [];
    gateway.services.answers.audits.identity.recordRefusals = ({ refusals }) => {
      kept.push(...refusals);
      return {};
    };
    const refused = (token?: string) => gateway.fetch('/v1/audit', token ? { token } : {});
    expect((await refused(gateway.staff)).status).toBe(403);
    for (let times = 0; times < 20; times += 1) expect((await refused()).status).toBe(401);
    await eventually(async () => expect(kept).toHaveLength(2));
    expect(kept).toMatchObject([
      {
        route: 'GET /v1/audit',
        principalKind: 'user',
        roles: ['customer', 'staff'],
        reason: 'PERMISSION_DENIED',
        count: 1,
      },
      { route: 'GET /v1/audit', principalKind: 'guest', reason: 'UNAUTHENTICATED', count: 1 },
    ]);
    expect(kept[0]?.source).toBe('127.0.0.1');
  });

  it('waits while identity is away', async () => {
    const kept: Refusal[] = [];
    let tries = 0;
    gateway.services.answers.audits.identity.recordRefusals = ({ refusals }) => {
      if ((tries += 1) === 1) throw new Error('away');
      kept.push(...refusals);
      return {};
    };
    const token = await gateway.identity.tokenFor({ userId: 'u8' });
    expect((await gateway.fetch('/v1/audit', { token })).status).toBe(403);
    await eventually(async () => expect(kept).toHaveLength(1));
    expect(tries).toBe(2);
  });
});
