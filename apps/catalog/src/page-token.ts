import { createHash } from 'node:crypto';
import { invalid } from '@souk/errors';

/** What a list is narrowed to; a token holds for the list that it came from. */
export interface ListFilter {
  query: string;
  category: string;
}

/** The last product of a page. */
export interface PagePosition {
  id: string;
  /** How well it fits the query, in Postgres' own notation; only in a search. */
  rank?: string;
}

/** Before the first product of any list. */
export const START: Required<PagePosition> = { id: 'ffffffff-ffff-ffff-ffff-ffffffffffff', rank: 'Infinity' };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const RANK = /^\d{1,20}(\.\d{1,20})?(e-?\d{1,2})?$/;

export function encodePageToken(position: PagePosition, filter: ListFilter): string {
  const { id, rank } = position;
  return Buffer.from(JSON.stringify([id, fingerprint(filter), ...(rank ? [rank] : [])])).toString('base64url');
}

/** @throws DomainError INVALID_ARGUMENT for what is no token, or the token of another list */
export function decodePageToken(token: string, filter: ListFilter): PagePosition {
  const [id, list, rank] = parse(token);
  const searched = filter.query !== '';
  const wellFormed = typeof id === 'string' && UUID.test(id) && isRank(rank);
  if (!wellFormed || typeof list !== 'string') throw badToken('it is not a page token');
  if (list !== fingerprint(filter) || searched !== (rank !== undefined)) {
    throw badToken('it belongs to another list; send the same query and category');
  }
  return { id, ...(rank === undefined ? {} : { rank }) };
}

function isRank(rank: unknown): rank is string | undefined {
  return rank === undefined || (typeof rank === 'string' && RANK.test(rank));
}

function parse(token: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function fingerprint({ query, category }: ListFilter): string {
  return createHash('sha256')
    .update(JSON.stringify([query, category]))
    .digest('base64url')
    .slice(0, 12);
}

function badToken(description: string): Error {
  return invalid([{ field: 'page_token', description }]);
}
