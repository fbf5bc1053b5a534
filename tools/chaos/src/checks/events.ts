import type { World } from '../world.ts';
import { SOLD } from './states.ts';
import { countBy, judge, type Verdict } from './verdict.ts';

const EVENT_OF_STATE: Readonly<Record<string, string>> = {
  CONFIRMED: 'OrderConfirmed',
  REJECTED: 'OrderRejected',
  CANCELLED: 'OrderCancelled',
  FULFILLED: 'OrderFulfilled',
  REFUNDED: 'OrderRefunded',
};

export function checkEvents(world: World): Verdict[] {
  return [
    everyChangeIsTold(world),
    everyEventHasOneEffect(world),
    mails(world),
    shownIsTrue(world),
    nothingIsStuck(world),
    ownChecksAgree(world),
  ];
}

function everyChangeIsTold({ services, orders, stock }: World): Verdict {
  return judge('I12', 'every change has its event, every event is on its stream, in order', (expect) => {
    for (const { service, outbox, stream } of services) {
      const published = new Set(stream.map(({ id }) => id));
      const written = new Set(outbox.map(({ id }) => id));
      for (const { id, type } of outbox) expect(published.has(id), () => `${type} ${id} of ${service} is on no stream`);
      for (const { id, type } of stream) expect(written.has(id), () => `${type} ${id} on the stream was never written`);
      expectOrder(service, outbox, stream, expect);
    }
    const outboxOf = (name: string) => services.find(({ service }) => service === name)?.outbox ?? [];
    const told = new Set(
      outboxOf('orders').map(({ type, aggregate_id }) => `${type.split('.').at(-1)} ${aggregate_id}`),
    );
    for (const { order_id, state, refunded_amount } of orders) {
      expect(told.has(`OrderPlaced ${order_id}`), () => `order ${order_id} has no OrderPlaced`);
      const event = EVENT_OF_STATE[state];
      const isRefunded = refunded_amount > 0 && SOLD.includes(state);
      if (isRefunded) expect(told.has(`OrderRefunded ${order_id}`), () => `order ${order_id} lacks OrderRefunded`);
      if (event) expect(told.has(`${event} ${order_id}`), () => `order ${order_id} is ${state} without ${event}`);
    }
    const levels = new Map(outboxOf('inventory').map(({ aggregate_id, data }) => [aggregate_id, data]));
    for (const { sku, on_hand, held } of stock) {
      const { available = 0 } = JSON.parse(levels.get(sku) ?? '{}') as { available?: number };
      expect(
        available === on_hand - held,
        () => `${sku}: ${on_hand - held} can be sold, the last event says ${available}`,
      );
    }
  });
}

/** The events of one thing reach the stream in the order in which they were written; repetitions don't count. */
function expectOrder(
  service: string,
  outbox: World['services'][number]['outbox'],
  stream: World['services'][number]['stream'],
  expect: (holds: boolean, otherwise: () => string) => void,
): void {
  const place = new Map<string, number>();
  for (const { id, seq } of stream) if (!place.has(id)) place.set(id, seq);
  for (const [aggregate, events] of Map.groupBy(outbox, (event) => event.aggregate_id)) {
    const seqs = events.map(({ id }) => place.get(id) ?? Infinity);
    const inOrder = seqs.every((seq, index) => seq >= (seqs[index - 1] ?? 0));
    expect(inOrder, () => `the events of ${aggregate} (${service}) are on the stream as ${seqs.join(', ')}`);
  }
}

function everyEventHasOneEffect({ consumers, services }: World): Verdict {
  return judge('I13', 'every consumer handled every event once', (expect) => {
    for (const { name, stream, type, handled } of consumers) {
      const events = services.find(({ service }) => service.toUpperCase() === stream)?.stream ?? [];
      const wanted = new Set(events.filter((event) => event.type === type).map(({ id }) => id));
      for (const [id, count] of countBy(handled, (event) => event)) {
        expect(count === 1, () => `${name} handled ${id} ${count} times`);
        expect(wanted.has(id), () => `${name} handled ${id}, which is on no stream`);
      }
      const done = new Set(handled);
      for (const id of wanted) expect(done.has(id), () => `${name} has not handled ${type} ${id}`);
    }
  });
}

function mails({ notifications, mails: files, services, orders }: World): Verdict {
  return judge('I17', 'one mail per cause, and none without', (expect) => {
    const events = services.find(({ service }) => service === 'orders')?.stream ?? [];
    const causes = new Set(events.map(({ type, aggregateId }) => `${kindOf(type)} ${aggregateId}`));
    for (const { kind, order_id, state } of notifications) {
      expect(causes.has(`${kind} ${order_id}`), () => `the mail ${kind} about order ${order_id} has no cause`);
      expect(state === 'SENT', () => `the mail ${kind} about order ${order_id} is ${state}`);
    }
    for (const [mail, count] of countBy(notifications, ({ kind, order_id }) => `${kind} about order ${order_id}`)) {
      expect(count === 1, () => `${count} mails ${mail}`);
    }
    const numberOf = new Map(orders.map((order) => [order.order_id, order.number]));
    const sent = countBy(files, (file) => file.replace(/^[^-]*-/, '').replace(/\.eml$/, ''));
    for (const { kind, order_id } of notifications) {
      const count = sent.get(`${kind}-${numberOf.get(order_id)}`) ?? 0;
      expect(count === 1, () => `${count} mails ${kind} about order ${order_id} went out`);
    }
    const written = new Set(notifications.map(({ kind, order_id }) => `${kind} ${order_id}`));
    // Whoever was refused while he waited was told so; the others get a mail.
    for (const cause of causes) {
      if (/^ORDER_(CONFIRMED|CANCELLED|FULFILLED) /.test(cause)) expect(written.has(cause), () => `no mail ${cause}`);
    }
  });
}

/** `souk.orders.v1.OrderConfirmed` → `ORDER_CONFIRMED`. */
function kindOf(type: string): string {
  const name = type.split('.').at(-1) ?? '';
  return name.replace(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase();
}

function shownIsTrue({ stock, shown }: World): Verdict {
  return judge('I18', 'what the catalogue shows is what can be sold', (expect) => {
    for (const { sku, on_hand, held } of stock) {
      const said = shown.get(sku);
      expect(said === on_hand - held, () => `${sku}: ${on_hand - held} can be sold, ${said} is shown`);
    }
  });
}

function nothingIsStuck({ deadLetters, orders }: World): Verdict {
  return judge('I20', 'nothing was given up', (expect) => {
    expect(deadLetters.length === 0, () => `dead letters: ${deadLetters.join(', ')}`);
    const parked = orders.filter(({ saga_parked_at }) => saga_parked_at !== null);
    expect(parked.length === 0, () => `parked: ${parked.map((o) => `${o.order_id} (${o.saga_error})`).join(', ')}`);
  });
}

function ownChecksAgree({ checkRuns }: World): Verdict {
  return judge('I22', "the services' own reconciliation finds nothing", (expect) => {
    for (const { check, compared, error, differences } of checkRuns) {
      for (let thing = 0; thing < compared; thing++) expect(true, () => '');
      expect(error === '', () => `${check} could not be finished: ${error}`);
      for (const difference of differences) expect(false, () => `${check}: ${difference}`);
    }
  });
}
