import { headers } from '@nats-io/transport-node';
import { decodeEvent, encodeEvent, type EventEnvelope } from './envelope.js';

const event: EventEnvelope = {
  id: '0199c0de-0000-7000-8000-000000000001',
  type: 'souk.orders.v1.OrderConfirmed',
  source: 'orders',
  aggregateId: 'order-1',
  time: new Date('2026-01-02T03:04:05.678Z'),
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  data: '{"order":{"id":"order-1","total":{"amount":"1999"}}}',
};

describe('the event envelope', () => {
  it('reads back what it wrote', () => {
    const { headers: written, payload } = encodeEvent(event);
    expect(decodeEvent(written, payload)).toEqual(event);
  });

  it('writes CloudEvents attributes and the id that the broker knows repetitions by', () => {
    const { headers: written } = encodeEvent(event);
    expect(Object.fromEntries([...written].map(([name, values]) => [name, values[0]]))).toEqual({
      'ce-specversion': '1.0',
      'ce-id': event.id,
      'ce-source': '/souk/orders',
      'ce-type': event.type,
      'ce-subject': 'order-1',
      'ce-time': '2026-01-02T03:04:05.678Z',
      'content-type': 'application/json',
      'Nats-Msg-Id': event.id,
      traceparent: event.traceparent,
    });
  });

  it('does without a trace', () => {
    const { headers: written, payload } = encodeEvent({ ...event, traceparent: undefined });
    expect(decodeEvent(written, payload).traceparent).toBeUndefined();
  });

  it.each(['ce-id', 'ce-type', 'ce-source', 'ce-subject', 'ce-time'])('refuses a message without %s', (name) => {
    const { headers: written, payload } = encodeEvent(event);
    written.delete(name);
    expect(() => decodeEvent(written, payload)).toThrow(name);
  });

  it('refuses a message that is no event', () => {
    expect(() => decodeEvent(undefined, new Uint8Array())).toThrow('ce-id');
    const strange = headers();
    strange.set('ce-id', 'not-a-uuid');
    expect(() => decodeEvent(strange, new Uint8Array())).toThrow('UUID');
  });
});
