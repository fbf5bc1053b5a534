// All that is known of a person, a page at a time, over all services. Guarantees: bounded, however much there is. The page's token says
// which service comes next, and where it goes on.
import { invalid } from '@souk/errors';
import type { ExportedPage } from '@souk/privacy';
import type { Person } from './erasures.store.js';
import type { Neighbours } from './neighbours.js';
import type { OwnData } from './own-data.js';

const ORDERS = 'orders:';
const MAILS = 'mails';

export class ExportPerson {
  constructor(
    private readonly own: OwnData,
    private readonly neighbours: Neighbours,
  ) {}

  /** @throws DomainError INVALID_ARGUMENT for a token that is none */
  async execute(person: Person, pageToken: string): Promise<ExportedPage> {
    if (!pageToken) return { ...(await this.own.export(person.subjectId)), nextPageToken: ORDERS };
    if (pageToken.startsWith(ORDERS)) return this.orders(person, pageToken.slice(ORDERS.length));
    if (pageToken !== MAILS) throw invalid([{ field: 'page_token', description: 'This is no page token.' }]);
    return this.neighbours.export('notifications', { ...person, orderIds: [] });
  }

  /** A page of orders, with what hangs on them. */
  private async orders(person: Person, after: string): Promise<ExportedPage> {
    const page = await this.neighbours.export('orders', { ...person, orderIds: [] }, after);
    const nextPageToken = page.nextPageToken ? `${ORDERS}${page.nextPageToken}` : MAILS;
    if (page.orderIds.length === 0) return { records: page.records, nextPageToken };
    const about = { ...person, email: '', orderIds: page.orderIds };
    const [payments, mails] = await Promise.all([
      this.neighbours.export('payments', about),
      this.neighbours.export('notifications', about),
    ]);
    return { records: [...page.records, ...payments.records, ...mails.records], nextPageToken };
  }
}
