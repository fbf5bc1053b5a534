/**
 * ETags, and what clients make of them. An ETag begins with the version that the service counts, so that `If-Match` can
 * be passed on as the version that a change is based on; the service compares, here nothing is compared but for 304.
 */
import { hash } from 'node:crypto';
import { DomainError, invalid } from '@souk/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';

const ONE_TAG = /^(?:W\/)?"(\d{1,9})(?:-[\w-]*)?"$/;

/** @param rest what else the representation depends on, beside the version */
export function etagOf(version: number, rest?: string): string {
  return rest === undefined ? `"${version}"` : `"${version}-${digest(rest)}"`;
}

/** An ETag for what has no version of its own. */
export function digestEtag(content: string): string {
  return `"${digest(content)}"`;
}

function digest(content: string): string {
  return hash('sha1', content, 'base64url').slice(0, 12);
}

/**
 * Sets the ETag and answers 304 where the client has that representation already.
 * @param options.shared whether caches that serve many may keep the answer, asking each time whether it is still the present one
 * @returns true where the client has it, so that no body is due
 */
export function unchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  etag: string,
  { shared = false }: { shared?: boolean } = {},
): boolean {
  void reply.header('etag', etag).header('cache-control', shared ? 'no-cache' : 'private, no-cache');
  const known = request.headers['if-none-match'];
  if (known === undefined) return false;
  const matches = known === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  if (matches) void reply.status(304);
  return matches;
}

/**
 * The version that a change is based on, from `If-Match`; 0 where it does not matter. Weak tags are taken for strong
 * ones, since proxies that compress weaken every tag.
 */
export function expectedVersion(request: FastifyRequest): number {
  const given = request.headers['if-match']?.trim();
  if (given === undefined || given === '*') return 0;
  if (given.includes(',')) throw invalid([{ field: 'If-Match', description: 'takes one ETag' }]);
  const version = Number(ONE_TAG.exec(given)?.[1] ?? 0);
  if (version > 0) return version;
  throw new DomainError({
    kind: 'mismatch',
    reason: 'VERSION_MISMATCH',
    message: 'If-Match is not an ETag that this resource ever had. Read it again.',
  });
}
