// Spans of the work that is done for a call, told to OpenTelemetry. Guarantees: while nobody asked for traces (the default)
// nothing of OpenTelemetry is loaded and `inSpan` only calls the work; a span knows names, states and numbers, but no
// parameters, addresses or messages of errors, so that no personal data leaves by it; what is wrong with the receiver
// of spans never reaches the work.
import { currentContext, runInContext } from './call-context.js';
import type { Logger } from './logger.js';
import type { AttributeName } from './names.js';
import { isSampled } from './trace.js';
import { tracingSettings } from './tracing-settings.js';

/** What a span says of its work. */
export type Attributes = Partial<Record<AttributeName, string | number | boolean | undefined>>;

export interface SpanStart {
  readonly name: string;
  /** `server` and `consumer` begin the work of this process, `client` and `producer` wait for another one. */
  readonly kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  readonly attributes?: Attributes;
  /** Traceparent of the work that caused it; that of the present call where the property is left out. */
  readonly parent?: string | undefined;
  /** True for work that begins no other: its calls keep the present context. */
  readonly isLeaf?: boolean;
  /** Traceparents of other work that it belongs to as well. */
  readonly links?: readonly string[];
}

/** A span that was started. */
export interface StartedSpan {
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** @param errorType why it failed, a name of few possible ones; left out where it did not */
  end(errorType?: string): void;
}

/** Where spans go to. */
export interface Tracer {
  /** True where work is only looked at when the work that caused it was. */
  readonly followsParent: boolean;
  start(span: SpanStart & { readonly parent: string | undefined }): StartedSpan;
  /** Sends what is left, as far as that is possible in a short time. */
  stop(): Promise<void>;
}

let tracer: Tracer | undefined;

/** Starts to tell spans, where the environment says where to (OTEL_...). @throws where a variable is wrong */
export async function startTracing(service: string, logger: Logger): Promise<void> {
  const settings = tracingSettings(service);
  if (!settings) return;
  const { openTracer } = await import('./open-telemetry.js');
  tracer = await openTracer(settings, logger);
  logger.info({ sampler: settings.sampler }, 'traces are sent');
}

/** Sends what is left and stops to tell spans. */
export async function stopTracing(): Promise<void> {
  const stopped = tracer;
  tracer = undefined;
  await stopped?.stop();
}

/** Starts a span that the caller ends; undefined where nobody looks at this work. */
export function startSpan(span: SpanStart): StartedSpan | undefined {
  if (!tracer) return undefined;
  const inherits = !('parent' in span);
  const parent = inherits ? currentContext()?.traceparent : span.parent;
  // What a process does for nobody, such as looking for work, is no trace.
  if (inherits && parent === undefined) return undefined;
  if (parent !== undefined && tracer.followsParent && !isSampled(parent)) return undefined;
  return tracer.start({ ...span, parent });
}

/** Does the work in a span of its own: whatever it does in turn belongs to that span. */
export function inSpan<T>(span: SpanStart, work: () => Promise<T>): Promise<T> {
  const started = startSpan(span);
  if (!started) return work();
  if (span.isLeaf) return ended(started, work);
  const context = currentContext();
  const { traceparent } = started;
  return runInContext({ requestId: '', ...context, traceparent }, () => ended(started, work));
}

async function ended<T>(span: StartedSpan, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end(errorType(error));
    throw error;
  }
}

/** The name of an error's kind: its reason or its code, never its message. */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { reason, code, name } = error as { reason?: unknown; code?: unknown; name?: unknown };
  const known = [reason, code, name].find((value) => typeof value === 'string' || typeof value === 'number');
  return String(known ?? 'unknown').slice(0, 64);
}
