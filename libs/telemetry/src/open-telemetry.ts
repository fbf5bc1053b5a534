// The tracer of OpenTelemetry, loaded only where traces are sent. Guarantees: spans wait in a bounded queue and the newest are
// dropped when it is full, the receiver's faults are logged at most once a minute, and the end waits for it two seconds.
import {
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.js';
import { partsOf } from './trace.js';
import type { SpanStart, StartedSpan, Tracer } from './tracing.js';
import type { TracingSettings } from './tracing-settings.js';

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

const STOP_WITHIN_MS = 2_000;
const COMPLAIN_EVERY_MS = 60_000;

/** Opens the way to the receiver that the environment names. */
export async function openTracer(settings: TracingSettings, logger: Logger): Promise<Tracer> {
  diag.setLogger(complaints(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const exporter = await openExporter(settings);
  const provider = new TracerProvider({
    sampler: samplerOf(settings),
    resource: resourceOf(settings.service),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...settings })],
  });
  const tracer = provider.getTracer('souk');
  return {
    followsParent: settings.sampler.startsWith('parentbased'),
    start: ({ name, kind, attributes, parent, links }) => {
      const options = { kind: KINDS[kind], attributes, links: links?.flatMap(asLink) };
      return startedSpan(tracer.startSpan(name, options, contextOf(parent)));
    },
    stop: async () => {
      await Promise.race([provider.shutdown(), sleep(STOP_WITHIN_MS, undefined, { ref: false })]).catch(
        () => undefined,
      );
      diag.disable();
    },
  };
}

async function openExporter({ protocol }: TracingSettings): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

/** OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME go before what Souk says of itself. */
function resourceOf(service: string) {
  const own = { 'service.name': service, 'service.namespace': 'souk', 'service.instance.id': randomUUID() };
  return resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
}

function samplerOf({ sampler, ratio }: TracingSettings): Sampler {
  if (sampler.startsWith('parentbased_')) {
    const root = sampler.slice('parentbased_'.length) as 'always_on' | 'always_off' | 'traceidratio';
    return new ParentBasedSampler({ root: samplerOf({ sampler: root, ratio } as TracingSettings) });
  }
  if (sampler === 'traceidratio') return new TraceIdRatioBasedSampler(ratio);
  return sampler === 'always_off' ? new AlwaysOffSampler() : new AlwaysOnSampler();
}

function startedSpan(span: Span): StartedSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
    set: (attributes) => void span.setAttributes(attributes),
    end: (errorType) => {
      if (errorType !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', errorType);
      span.end();
    },
  };
}

function contextOf(parent: SpanStart['parent']): Context {
  const spanContext = parent === undefined ? undefined : spanContextOf(parent);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

function asLink(traceparent: string) {
  const context = spanContextOf(traceparent);
  return context ? [{ context }] : [];
}

function spanContextOf(traceparent: string): SpanContext | undefined {
  const parts = partsOf(traceparent);
  return parts && { ...parts, isRemote: true };
}

/** The first complaint of a minute, so that a receiver that is away fills no log. */
function complaints(logger: Logger) {
  let quietUntil = 0;
  const complain = (message: string) => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + COMPLAIN_EVERY_MS;
    logger.warn({ complaint: message.slice(0, 300) }, 'spans are lost');
  };
  const nothing = () => undefined;
  return { error: complain, warn: complain, info: nothing, debug: nothing, verbose: nothing };
}
