// The services that keep personal data, as identity asks them.
import type { ErasedPage, ExportedPage, Subject, Treatment } from '@souk/privacy';
import type { PrivacyServiceService } from '@souk/proto/privacy/v1';
import type { RpcClient } from '@souk/rpc';

export type PrivacyClient = RpcClient<typeof PrivacyServiceService>;

export const KEEPERS = ['orders', 'payments', 'notifications'] as const;
export type Keeper = (typeof KEEPERS)[number];

/** A service reads the headers of all that its stream keeps. */
const LONG = { timeoutMs: 4 * 60_000 };

export class Neighbours {
  constructor(private readonly clients: Readonly<Record<Keeper, PrivacyClient>>) {}

  /** Nest calls it at the end. */
  onApplicationShutdown(): void {
    for (const client of Object.values(this.clients)) client.close();
  }

  async export(keeper: Keeper, subject: Subject, pageToken = ''): Promise<Required<ExportedPage>> {
    const answer = await this.clients[keeper].exportPersonalData({ subject: toMessage(subject), pageToken });
    const { records, orderIds, nextPageToken } = answer;
    return {
      records: records.map(({ kind, json }) => ({ kind, value: JSON.parse(json) as object })),
      orderIds,
      nextPageToken,
    };
  }

  async erase(keeper: Keeper, requestId: string, subject: Subject, pageToken = ''): Promise<Required<ErasedPage>> {
    const request = { subject: toMessage(subject), requestId, pageToken };
    const { treatments, pending, orderIds, nextPageToken } = await this.clients[keeper].erasePersonalData(
      request,
      LONG,
    );
    return {
      treatments: treatments.map(({ what, action, count, reason }) => ({
        what,
        action: action.replace('ACTION_', '') as Treatment['action'],
        count: Number(count),
        reason,
      })),
      pending,
      orderIds,
      nextPageToken,
    };
  }
}

function toMessage({ orderIds, ...subject }: Subject) {
  return { ...subject, orderIds: [...orderIds] };
}
