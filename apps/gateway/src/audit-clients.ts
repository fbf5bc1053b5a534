/** The records of who did what, which every service keeps for itself, as one list. */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { invalid } from '@souk/errors';
import { AuditServiceService, type AuditRecord, type ListRecordsRequest, type Refusal } from '@souk/proto/audit/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { connection } from './clients.js';
import { AUDITED, type AuditedService, type GatewayConfig } from './config.js';
import { CONFIG } from './tokens.js';

export interface AuditEntry extends AuditRecord {
  readonly chain: AuditedService;
}

export type AuditFilter = Omit<ListRecordsRequest, 'pageToken'>;

interface Page {
  readonly chain: AuditedService;
  readonly records: readonly AuditRecord[];
  readonly hasMore: boolean;
}

/** Where each service's list goes on; null where it has ended. */
type Positions = Partial<Record<AuditedService, string | null>>;

const TOKEN = /^\d{1,15}-\d{1,18}$/;

@Injectable()
export class AuditClients implements OnApplicationShutdown {
  private readonly clients: ReadonlyMap<AuditedService, RpcClient<typeof AuditServiceService>>;

  constructor(@Inject(CONFIG) config: GatewayConfig) {
    const idempotent = ['recordRefusals'] as const;
    this.clients = new Map(
      AUDITED.map((service) => [
        service,
        rpcClient(AuditServiceService, { ...connection(config, service), idempotent }),
      ]),
    );
  }

  /** Newest first; a service that does not answer fails the whole, so that nothing is missing unseen. */
  async list(filter: AuditFilter, cursor: string): Promise<{ entries: AuditEntry[]; cursor: string }> {
    const positions = fromCursor(cursor);
    const open = [...this.clients].filter(([chain]) => positions[chain] !== null);
    const pages = await Promise.all(
      open.map(async ([chain, client]): Promise<Page> => {
        const request = { ...filter, pageToken: positions[chain] ?? '' };
        const { records, nextPageToken } = await client.listRecords(request);
        return { chain, records, hasMore: nextPageToken !== '' };
      }),
    );
    const merged = pages.flatMap(({ chain, records }) => records.map((record) => ({ ...record, chain })));
    // Of one service they stay in their order: the sort is stable.
    const entries = merged.sort((a, b) => timeOf(b) - timeOf(a)).slice(0, filter.pageSize);
    for (const page of pages) positions[page.chain] = positionAfter(page, entries, positions[page.chain] ?? '');
    const ended = AUDITED.every((chain) => positions[chain] === null);
    return { entries, cursor: ended ? '' : toCursor(positions) };
  }

  /** Identity keeps what the gateway refused by itself. */
  async keep(refusals: Refusal[]): Promise<void> {
    await this.clients.get('identity')?.recordRefusals({ refusals });
  }

  onApplicationShutdown(): void {
    this.clients.forEach((client) => client.close());
  }
}

function positionAfter({ chain, records, hasMore }: Page, entries: AuditEntry[], before: string): string | null {
  const taken = entries.filter((entry) => entry.chain === chain);
  if (taken.length === records.length && !hasMore) return null;
  const last = taken.at(-1);
  return last ? `${timeOf(last)}-${last.sequence}` : before;
}

function timeOf({ time }: AuditRecord): number {
  return time?.getTime() ?? 0;
}

function toCursor(positions: Positions): string {
  return Buffer.from(JSON.stringify(positions)).toString('base64url');
}

function fromCursor(cursor: string): Positions {
  if (cursor === '') return {};
  const given = parsed(Buffer.from(cursor, 'base64url').toString());
  const positions = AUDITED.map((chain) => [chain, given[chain]] as const);
  const known = positions.every(
    ([, at]) => at === undefined || at === null || at === '' || (typeof at === 'string' && TOKEN.test(at)),
  );
  if (!known) throw notACursor();
  return Object.fromEntries(positions);
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw notACursor();
}

function notACursor() {
  return invalid([{ field: 'cursor', description: 'is not a cursor of this list' }]);
}
