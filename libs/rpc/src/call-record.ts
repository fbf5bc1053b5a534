/**
 * Which calls are recorded, and what of them. Guarantees: a call that a permission lets in, or that the operators' command makes,
 * is recorded before its work begins, or refused where that cannot be done; of all others the outcome is recorded
 * afterwards: of every refusal, and of every write by people, guests and programs. Not recorded are reads of what is one's
 * own or public, and what services do among themselves.
 */
import { randomUUID } from 'node:crypto';
import {
  GUEST,
  isPermission,
  may,
  recordingOf,
  type Permission,
  type Principal,
  type Recording,
  type Rule,
} from '@souk/auth';
import { isDomainError } from '@souk/errors';
import type { CallContext } from '@souk/telemetry';
import type { MethodDefinition } from './definition.js';
import { objectOf, type ObjectRef } from './call-object.js';

export type { ObjectRef } from './call-object.js';

/** What a controller's method declares. */
export interface Declared {
  readonly method: MethodDefinition;
  readonly rules: readonly Rule[];
  readonly privilege: Permission | undefined;
}

export interface CallRecord {
  readonly callId: string;
  readonly time: Date;
  /** `souk.orders.v1.OrdersService/PlaceOrder` */
  readonly action: string;
  readonly principal: Principal;
  readonly caller: string;
  readonly source: string;
  readonly requestId: string;
  readonly object: ObjectRef | undefined;
  /** Whether it is kept before the work that it was asked for: its outcome then belongs to that record. */
  readonly isAsked: boolean;
}

export interface CallOutcome {
  readonly outcome: 'allowed' | 'denied' | 'failed';
  /** The rule that let the call in, or why it was refused. */
  readonly reason: string;
}

/** Keeps the records of a service. */
export interface Recorder {
  /** Resolves once it is kept that the call is about to be worked on. @throws DomainError where it cannot be kept */
  asked(call: CallRecord, reason: string): Promise<void>;
  /** Sees to it that the outcome is kept. */
  settled(call: CallRecord, outcome: CallOutcome): void;
}

/** One call on its way through the server. */
export class RecordedCall {
  private readonly callId = randomUUID();
  private readonly action: string;
  private recording: Recording = 'refusals';
  private admittedBy = '';

  constructor(
    private readonly recorder: Recorder | undefined,
    private readonly declared: Declared,
    private readonly request: unknown,
    private readonly context: CallContext,
  ) {
    this.action = declared.method.path.slice(1);
  }

  /** @param admitting the rules that let the call in */
  async begin(admitting: readonly Rule[]): Promise<void> {
    const { privilege } = this.declared;
    const privileged = privilege !== undefined && may(this.principal, privilege);
    const name = this.action.slice(this.action.indexOf('/') + 1);
    this.recording = recordingOf(name, admitting, privileged);
    this.admittedBy = (privileged ? privilege : admitting.find((rule) => isPermission(rule))) ?? admitting[0] ?? '';
    if (this.recording === 'before') await this.recorder?.asked(this.record(), this.admittedBy);
  }

  done(response: unknown): void {
    if (this.recording === 'refusals') return;
    this.recorder?.settled(this.record(response), { outcome: 'allowed', reason: this.admittedBy });
  }

  failed(error: unknown): void {
    const outcome = outcomeOf(error);
    if (this.recording === 'refusals' && outcome.outcome !== 'denied') return;
    this.recorder?.settled(this.record(), outcome);
  }

  private get principal(): Principal {
    return (this.context.principal as Principal | undefined) ?? GUEST;
  }

  private record(response?: unknown): CallRecord {
    const { callId, action, principal, context } = this;
    const { caller = '', source = '', requestId } = context;
    const isAsked = this.recording === 'before';
    const object = objectOf(action, this.declared.method.requestStream ? undefined : this.request, response);
    return { callId, time: new Date(), action, principal, caller, source, requestId, object, isAsked };
  }
}

function outcomeOf(error: unknown): CallOutcome {
  if (!isDomainError(error)) return { outcome: 'failed', reason: 'INTERNAL' };
  const denied = error.kind === 'unauthenticated' || error.kind === 'forbidden';
  return { outcome: denied ? 'denied' : 'failed', reason: error.reason };
}
