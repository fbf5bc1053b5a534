/** What is left of an order once its person is erased: what was bought, what it cost, what happened, and the country. */
import type { Redact } from '@souk/outbox';
import type { OrderRow } from '../orders.rows.js';

type Timeline = OrderRow['timeline'];

/** Whether nothing will be sent, charged or mailed for the order any more, so that nobody needs the person. */
export function isAtRest({ state, saga_phase: phase }: Pick<OrderRow, 'state' | 'saga_phase'>): boolean {
  return phase === 'DONE' && state !== 'PENDING' && state !== 'CONFIRMED';
}

export function isErased({ email }: Pick<OrderRow, 'email'>): boolean {
  return email === '';
}

/** The carrier's tracking number leads to the person's door. */
export function erasedTimeline(timeline: Timeline): Timeline {
  return timeline.map(({ detail, ...entry }) => (detail && entry.kind !== 'FULFILLED' ? { ...entry, detail } : entry));
}

interface EventDocument {
  readonly tracking?: unknown;
  readonly order?: {
    readonly email?: unknown;
    readonly shippingAddress?: { readonly country?: unknown };
    readonly timeline?: Timeline;
  };
}

/** An event about an order, as JSON, without the person. */
export const redactOrderEvent: Redact = (_type, data) => {
  const { tracking: _tracking, order, ...event } = data as EventDocument;
  if (!order) return event;
  const { email: _email, shippingAddress, timeline, ...rest } = order;
  return {
    ...event,
    order: {
      ...rest,
      ...(shippingAddress?.country !== undefined && { shippingAddress: { country: shippingAddress.country } }),
      ...(timeline && { timeline: erasedTimeline(timeline) }),
    },
  };
};
