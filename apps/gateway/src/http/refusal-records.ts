/**
 * What the gateway refuses before it asks any service, for the record of who did what. Guarantees: costs the request nothing, and is
 * bounded: repeated refusals are counted, and at most 2,000 records wait while identity is away; then the newest are lost, counted and logged.
 */
import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { actorOf, Refusals, type Actor, type Countable } from '@souk/audit/refusals';
import { GUEST, type Principal } from '@souk/auth';
import { isDomainError } from '@souk/errors';
import type { Refusal } from '@souk/proto/audit/v1';
import { metrics, type Logger } from '@souk/telemetry';
import type { FastifyRequest } from 'fastify';
import { AuditClients } from '../audit-clients.js';
import { LOGGER } from '../tokens.js';

type Noted = Countable & Actor;

const SEND_EVERY_MS = 1_000;
const COUNT_MS = 60_000;
const BATCH = 500;
const MOST_WAITING = 2_000;

const lostRecords = metrics.counter('audit_records_lost_total');

@Injectable()
export class RefusalRecords implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly refusals = new Refusals<Noted>();
  private waiting: Noted[] = [];
  private lost = 0;
  private countedSince = Date.now();
  private sending: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly audit: AuditClients,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.sending = this.sending.then(() => this.send());
    }, SEND_EVERY_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.sending;
    this.waiting.push(...this.refusals.take());
    await this.send();
  }

  /** Notes that the request was refused; anything but a refusal is none. */
  note(request: FastifyRequest, error: unknown): void {
    if (!isDomainError(error) || !['unauthenticated', 'forbidden'].includes(error.kind)) return;
    const principal = (request.callContext?.principal as Principal | undefined) ?? GUEST;
    const id = randomUUID();
    const first = this.refusals.add({
      ...actorOf(principal),
      id,
      callId: id,
      time: new Date(),
      action: `${request.method} ${request.routeOptions.url ?? ''}`,
      source: request.ip,
      requestId: request.callContext?.requestId ?? '',
      reason: error.reason,
      count: 1,
    });
    if (first) this.push(first);
  }

  private push(record: Noted): void {
    if (this.waiting.length < MOST_WAITING) {
      this.waiting.push(record);
      return;
    }
    lostRecords.inc();
    this.lost += 1;
  }

  private async send(): Promise<void> {
    if (Date.now() - this.countedSince >= COUNT_MS) {
      this.countedSince = Date.now();
      this.refusals.take().forEach((record) => this.push(record));
    }
    const some = this.waiting.slice(0, BATCH);
    if (some.length === 0) return;
    try {
      await this.audit.keep(some.map(toMessage));
      this.waiting.splice(0, some.length);
      if (this.lost > 0) this.logger.error({ count: this.lost }, 'records of refusals are lost');
      this.lost = 0;
    } catch (error) {
      this.logger.debug({ err: error }, 'refusals wait for identity to keep them');
    }
  }
}

function toMessage({ id, action, roles, callId: _, ...record }: Noted): Refusal {
  return { ...record, recordId: id, route: action, roles: roles === '' ? [] : roles.split(' ') };
}
