// One pass of an erasure over all services. Guarantees: each step may be repeated, so a pass that broke off is made again from its
// start; orders are asked first, since they tell which payments and mails are the person's. Stops where another worker has
// taken the erasure over.
import type { ErasedPage, Subject } from '@souk/privacy';
import type { ErasuresStore, ErasureTask } from './erasures.store.js';
import type { Keeper, Neighbours } from './neighbours.js';
import type { OwnData } from './own-data.js';
import { Report, type Reported } from './report.js';

/** Its worker renews it while it lives, so that a dead one keeps nobody waiting. */
export const LEASE_SECONDS = 30;
const ORDERS_AT_ONCE = 200;
const FIRST = '00000000-0000-0000-0000-000000000000';

export interface Pass {
  /** What must wait. */
  readonly pending: number;
  readonly report: readonly Reported[];
}

export class LostErasure extends Error {}

export class ErasePerson {
  constructor(
    private readonly store: ErasuresStore,
    private readonly own: OwnData,
    private readonly neighbours: Neighbours,
  ) {}

  /** @throws LostErasure where another worker has it by now, and what a service fails with */
  async execute(task: ErasureTask): Promise<Pass> {
    const report = new Report(task.report);
    const own = await this.own.erase(task);
    report.add('identity', own.treatments);
    let pending = own.pending;
    pending += await this.eraseOrders(task, report);
    pending += await this.eraseAlong(task, report);
    pending += await this.ask('notifications', task, report, []);
    return { pending, report: report.all };
  }

  /** The orders that orders finds, and those that are known of an earlier time. */
  private async eraseOrders(task: ErasureTask, report: Report): Promise<number> {
    // The address is forgotten once a person is erased; what it found then is named, where that is done once more.
    if (!task.email) for await (const known of this.knownOrders(task)) await this.orderPages(task, known);
    let pending = 0;
    for (const page of await this.orderPages(task, [])) {
      report.add('orders', page.treatments);
      pending += page.pending;
    }
    return pending;
  }

  private async orderPages(task: ErasureTask, orderIds: readonly string[]): Promise<ErasedPage[]> {
    const pages: ErasedPage[] = [];
    for (let pageToken = ''; ;) {
      await this.keep(task);
      const page = await this.neighbours.erase('orders', task.erasureId, subjectOf(task, orderIds), pageToken);
      await this.store.addOrders(task.erasureId, page.orderIds);
      pages.push({ treatments: page.treatments, pending: page.pending });
      if (!(pageToken = page.nextPageToken)) return pages;
    }
  }

  /** What hangs on the orders. */
  private async eraseAlong(task: ErasureTask, report: Report): Promise<number> {
    let pending = 0;
    for await (const orderIds of this.knownOrders(task)) {
      pending += await this.ask('payments', { ...task, email: '' }, report, orderIds);
      pending += await this.ask('notifications', { ...task, email: '' }, report, orderIds);
    }
    return pending;
  }

  private async ask(keeper: Keeper, task: ErasureTask, report: Report, orderIds: readonly string[]): Promise<number> {
    await this.keep(task);
    const page = await this.neighbours.erase(keeper, task.erasureId, subjectOf(task, orderIds));
    report.add(keeper, page.treatments);
    return page.pending;
  }

  private async *knownOrders({ erasureId }: ErasureTask): AsyncGenerator<string[]> {
    for (let after = FIRST; ;) {
      const ids = await this.store.orders(erasureId, after, ORDERS_AT_ONCE);
      if (ids.length > 0) yield ids;
      if (ids.length < ORDERS_AT_ONCE) return;
      after = ids.at(-1) ?? after;
    }
  }

  private async keep(task: ErasureTask): Promise<void> {
    if (!(await this.store.renew(task, LEASE_SECONDS))) throw new LostErasure('Another worker has the erasure.');
  }
}

function subjectOf({ subjectId, email, emailOwned }: ErasureTask, orderIds: readonly string[]): Subject {
  return { subjectId, email, emailOwned, orderIds };
}
