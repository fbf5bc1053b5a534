// OpenTelemetry's own variables, as far as its packages do not read them: traces are sent where an address of a receiver is
// given, or OTEL_TRACES_EXPORTER=otlp says so. The exporter itself reads OTEL_EXPORTER_OTLP_... (address, headers, time-out).

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export interface TracingSettings {
  /** Name that the spans are told under; OTEL_SERVICE_NAME goes before it. */
  readonly service: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly sampler: (typeof SAMPLERS)[number];
  /** Part of the traces that are looked at, 0 to 1. */
  readonly ratio: number;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
}

/** What was asked for; undefined where no traces are wanted. @throws where a variable is wrong */
export function tracingSettings(service: string, env: NodeJS.ProcessEnv = process.env): TracingSettings | undefined {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  const hasReceiver = Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
  const exporter = oneOf(env, 'OTEL_TRACES_EXPORTER', ['otlp', 'none'], hasReceiver ? 'otlp' : 'none');
  if (exporter === 'none') return undefined;
  const protocols = ['http/protobuf', 'http/json'] as const;
  const protocol = oneOf(env, 'OTEL_EXPORTER_OTLP_PROTOCOL', protocols, 'http/protobuf');
  const maxQueueSize = number(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2_048);
  return {
    service,
    protocol: oneOf(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', protocols, protocol),
    sampler: oneOf(env, 'OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on'),
    ratio: number(env, 'OTEL_TRACES_SAMPLER_ARG', 1, 1),
    maxQueueSize,
    maxExportBatchSize: Math.min(number(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512), maxQueueSize),
    scheduledDelayMillis: number(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000),
  };
}

function oneOf<T extends string>(env: NodeJS.ProcessEnv, name: string, known: readonly T[], otherwise: T): T {
  const given = env[name];
  if (!given) return otherwise;
  const value = known.find((candidate) => candidate === given);
  if (!value) throw new Error(`${name} is wrong: it must be one of ${known.join(', ')}.`);
  return value;
}

function number(env: NodeJS.ProcessEnv, name: string, otherwise: number, most = Infinity): number {
  const given = env[name];
  if (!given) return otherwise;
  const value = Number(given);
  if (!(value >= 0 && value <= most)) throw new Error(`${name} is wrong: it must be a number of at least 0.`);
  return value;
}
