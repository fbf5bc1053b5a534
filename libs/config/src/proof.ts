// How a service proves its name to others and tells theirs: by certificates, or by one secret where TLS is off.
import { z } from 'zod';
import { flag, secret } from './fields.js';
import { ConfigError } from './load-config.js';

/** What every service reads for it. */
export const proofFields = {
  /** Secret by which Souk's services know each other where TLS is off; not needed and not believed where it is on. */
  SOUK_SERVICE_TOKEN: secret().optional(),
  /** Off where it is not set. */
  SOUK_TLS: z.enum(['on', 'off']).optional(),
  SOUK_TLS_CA_FILE: z.string().optional(),
  SOUK_TLS_CERT_FILE: z.string().optional(),
  SOUK_TLS_KEY_FILE: z.string().optional(),
  /** Lets a service listen beyond this machine without TLS, where something else protects the network. */
  SOUK_TLS_OFF_IS_SAFE: flag().optional(),
};

type ProofConfig = z.infer<z.ZodObject<typeof proofFields>>;

/** Either of the two; fits the clients and servers of @souk/rpc. */
export type Proof =
  | { readonly serviceToken: string }
  | { readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string } };

/** @throws ConfigError that names every variable that is missing */
export function proofOf(config: ProofConfig): Proof {
  if (config.SOUK_TLS !== 'on') {
    const [serviceToken] = required(config, 'SOUK_SERVICE_TOKEN');
    return { serviceToken };
  }
  const [caFile, certFile, keyFile] = required(config, 'SOUK_TLS_CA_FILE', 'SOUK_TLS_CERT_FILE', 'SOUK_TLS_KEY_FILE');
  return { tls: { caFile, certFile, keyFile } };
}

/**
 * Refuses to listen where others could read and change what is said.
 * @param host where the server listens
 * @throws ConfigError
 */
export function requireProtection(host: string, { SOUK_TLS, SOUK_TLS_OFF_IS_SAFE }: ProofConfig): void {
  if (SOUK_TLS === 'on' || SOUK_TLS_OFF_IS_SAFE || isLoopback(host)) return;
  throw new ConfigError([
    'GRPC_HOST is wrong: without TLS a service listens on this machine alone, such as on 127.0.0.1. ' +
      'Set SOUK_TLS=on, or SOUK_TLS_OFF_IS_SAFE=true where something else protects the network.',
  ]);
}

function isLoopback(host: string): boolean {
  return /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\]|localhost)$/.test(host);
}

type Variable = 'SOUK_SERVICE_TOKEN' | 'SOUK_TLS_CA_FILE' | 'SOUK_TLS_CERT_FILE' | 'SOUK_TLS_KEY_FILE';

function required<Names extends Variable[]>(config: ProofConfig, ...names: Names): { [K in keyof Names]: string } {
  const missing = names.filter((name) => !config[name]);
  if (missing.length > 0) throw new ConfigError(missing.map((name) => `${name} is not set.`));
  return names.map((name) => config[name]) as { [K in keyof Names]: string };
}
