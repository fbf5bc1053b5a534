/** The only mapping between the operators' RPCs and what answers them. */
import { Allow } from '@souk/auth';
import { DomainError, invalid } from '@souk/errors';
import type { EventBus } from '@souk/events';
import { replayEvents, type AnyConsumer, type DeadLetter as Letter, type DeadLetters } from '@souk/inbox';
import type { OutboxRelay } from '@souk/outbox';
import {
  OperationsServiceService,
  type CheckRun,
  type DeadLetter,
  type Difference,
  type ListDeadLettersRequest,
  type ListDeadLettersResponse,
  type ListDifferencesResponse,
  type RebuildStreamRequest,
  type RebuildStreamResponse,
  type ReconcileRequest,
  type ReconcileResponse,
  type ReplayDeadLettersRequest,
  type ReplayDeadLettersResponse,
  type ReplayEventsRequest,
  type ReplayEventsResponse,
} from '@souk/proto/operations/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import type { CheckRunRow, DifferenceRow } from './check-runs.store.js';
import type { Reconciler, Report } from './reconciler.js';

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 500;

/** What the operators' RPCs are answered by. */
export interface OperationsParts {
  readonly reconciler: Pick<Reconciler, 'runNow' | 'report'>;
  readonly letters: Pick<DeadLetters, 'list' | 'replay'>;
  readonly consumers: readonly AnyConsumer[];
  readonly bus: EventBus;
  /** None where the service publishes nothing. */
  readonly relay?: Pick<OutboxRelay, 'rebuild'>;
}

@RpcController(OperationsServiceService)
export class OperationsGrpc implements Handlers<typeof OperationsServiceService> {
  constructor(private readonly parts: OperationsParts) {}

  @Allow('operations:run', 'service:ops')
  async reconcile({ checks }: ReconcileRequest): Promise<ReconcileResponse> {
    return toReport(await this.parts.reconciler.runNow(checks));
  }

  @Allow('operations:run', 'service:ops')
  async listDifferences(): Promise<ListDifferencesResponse> {
    return toReport(await this.parts.reconciler.report());
  }

  @Allow('operations:run', 'service:ops')
  async listDeadLetters(request: ListDeadLettersRequest): Promise<ListDeadLettersResponse> {
    const limit = toPageSize(request.pageSize);
    const from = fromPageToken(request.pageToken);
    const found = await this.parts.letters.list(consumerOf(request), { limit: limit + 1, from });
    const next = found[limit];
    return { letters: found.slice(0, limit).map(toLetter), nextPageToken: next ? String(next.id) : '' };
  }

  @Allow('operations:run', 'service:ops')
  replayDeadLetters(request: ReplayDeadLettersRequest): Promise<ReplayDeadLettersResponse> {
    const { letterIds: ids, fromTime: from, toTime: to } = request;
    return this.parts.letters.replay({ ...consumerOf(request), ids, from, to });
  }

  @Allow('operations:run', 'service:ops')
  replayEvents({ consumer, fromTime, toTime, again }: ReplayEventsRequest): Promise<ReplayEventsResponse> {
    const { consumers, bus } = this.parts;
    const found = consumers.find(({ durable }) => durable === consumer);
    if (!found) throw unknownConsumer(consumers);
    if (!fromTime) throw invalid([{ field: 'from_time', description: 'is needed' }]);
    return replayEvents(bus, found, { from: fromTime, to: toTime ?? new Date(), again });
  }

  @Allow('operations:run', 'service:ops')
  async rebuildStream({ fromTime }: RebuildStreamRequest): Promise<RebuildStreamResponse> {
    const { relay } = this.parts;
    if (!relay) throw nothingPublished();
    const { compared, published } = await relay.rebuild(fromTime);
    return { compared: BigInt(compared), published: BigInt(published) };
  }
}

function toReport({ runs, differences }: Report): { runs: CheckRun[]; differences: Difference[] } {
  return { runs: runs.map(toRun), differences: differences.map(toDifference) };
}

function toRun({ name, ended_at, compared, differences, error }: CheckRunRow): CheckRun {
  return { check: name, endTime: ended_at ?? undefined, compared, differences, error };
}

function toDifference({ check_name, subject, detail, mend, first_seen_at }: DifferenceRow): Difference {
  return { check: check_name, subject, detail, mend, firstSeenTime: first_seen_at };
}

function toLetter({ id, consumer, eventId, type, aggregateId, error, time }: Letter): DeadLetter {
  return { letterId: id, consumer, eventId, type, aggregateId, error, time };
}

function consumerOf({ consumer }: { consumer: string }): { consumer?: string } {
  return consumer === '' ? {} : { consumer };
}

function toPageSize(pageSize: number): number {
  if (pageSize >= 0 && pageSize <= MAX_PAGE_SIZE) return pageSize || DEFAULT_PAGE_SIZE;
  throw invalid([{ field: 'page_size', description: `1 to ${MAX_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}` }]);
}

function fromPageToken(token: string): bigint | undefined {
  if (token === '') return undefined;
  if (/^\d{1,18}$/.test(token)) return BigInt(token);
  throw invalid([{ field: 'page_token', description: 'not a token of this list' }]);
}

function unknownConsumer(consumers: readonly AnyConsumer[]): DomainError {
  const names = consumers.map(({ durable }) => durable).join(', ') || 'none';
  return invalid([{ field: 'consumer', description: `no consumer of this service; it has ${names}` }]);
}

function nothingPublished(): DomainError {
  const message = 'The service publishes no events.';
  return new DomainError({ kind: 'refused', reason: 'NOTHING_PUBLISHED', message });
}
