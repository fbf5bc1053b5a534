// What the shop says about its identity provider. Pure. All of it, or nothing.
import { readFileSync } from 'node:fs';
import { ConfigError } from '@souk/config';
import { z } from 'zod';

/** The provider, and what its claims mean here. */
export interface ProviderConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly scope: string;
  /** Claim of the ID token that names groups, or a path to it with dots. */
  readonly rolesClaim: string;
  /** Roles by what the claim says. */
  readonly roles: ReadonlyMap<string, string>;
  /** Domains, in small letters, in which the provider is believed about addresses. */
  readonly emailDomains: readonly string[];
}

export const providerFields = {
  SOUK_OIDC_ISSUER: z.string().refine(isSafeUrl, 'it must be an https address (http on this machine alone)').optional(),
  SOUK_OIDC_CLIENT_ID: z.string().optional(),
  SOUK_OIDC_CLIENT_SECRET: z.string().optional(),
  SOUK_OIDC_CLIENT_SECRET_FILE: z.string().optional(),
  /** Page of the console that the provider sends browsers back to. */
  SOUK_OIDC_REDIRECT_URI: z
    .string()
    .refine(isSafeUrl, 'it must be an https address (http on this machine alone)')
    .optional(),
  SOUK_OIDC_SCOPE: z
    .string()
    .refine((scope) => scope.split(' ').includes('openid'), 'it must contain openid')
    .default('openid email profile'),
  SOUK_OIDC_ROLES_CLAIM: z.string().default('groups'),
  /** `shop-staff=staff,shop-admins=admin`: what the claim says, and the role that it stands for. */
  SOUK_OIDC_ROLES: z
    .string()
    .regex(/^[^=,]+=[a-z][a-z0-9-]*(,[^=,]+=[a-z][a-z0-9-]*)*$/, 'it must be group=role, separated by commas')
    .optional(),
  /** `shop.example,…`: where the provider is believed about addresses. */
  SOUK_OIDC_EMAIL_DOMAINS: z.string().default(''),
};

type Given = z.infer<z.ZodObject<typeof providerFields>>;

/** @throws ConfigError where a part is missing */
export function providerConfig(given: Given): ProviderConfig | undefined {
  const secret = given.SOUK_OIDC_CLIENT_SECRET ?? secretIn(given.SOUK_OIDC_CLIENT_SECRET_FILE);
  const parts = {
    SOUK_OIDC_ISSUER: given.SOUK_OIDC_ISSUER,
    SOUK_OIDC_CLIENT_ID: given.SOUK_OIDC_CLIENT_ID,
    'SOUK_OIDC_CLIENT_SECRET or SOUK_OIDC_CLIENT_SECRET_FILE': secret,
    SOUK_OIDC_REDIRECT_URI: given.SOUK_OIDC_REDIRECT_URI,
    SOUK_OIDC_ROLES: given.SOUK_OIDC_ROLES,
  };
  const missing = Object.entries(parts).filter(([, value]) => !value);
  if (missing.length === Object.keys(parts).length) return undefined;
  if (missing.length > 0) {
    throw new ConfigError(missing.map(([name]) => `${name} is not set, but other parts of SOUK_OIDC_* are.`));
  }
  return {
    issuer: given.SOUK_OIDC_ISSUER ?? '',
    clientId: given.SOUK_OIDC_CLIENT_ID ?? '',
    clientSecret: secret ?? '',
    redirectUri: given.SOUK_OIDC_REDIRECT_URI ?? '',
    scope: given.SOUK_OIDC_SCOPE,
    rolesClaim: given.SOUK_OIDC_ROLES_CLAIM,
    roles: new Map(listed(given.SOUK_OIDC_ROLES ?? '').map((pair) => pair.split('=') as [string, string])),
    emailDomains: listed(given.SOUK_OIDC_EMAIL_DOMAINS).map((domain) => domain.toLowerCase()),
  };
}

function secretIn(file: string | undefined): string | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new ConfigError(['SOUK_OIDC_CLIENT_SECRET_FILE is wrong: it can not be read.']);
  }
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' || (url !== null && isLoopback(url));
}

/** Whether requests stay on this machine, so that nobody can listen. */
export function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
