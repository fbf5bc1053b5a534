import { childTraceparent, newTraceparent, traceIdOf } from './trace.js';

describe('traceparent', () => {
  it('starts a trace in the W3C form', () => {
    expect(newTraceparent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(newTraceparent()).not.toBe(newTraceparent());
  });

  it('keeps the trace and changes the span for a child', () => {
    const parent = newTraceparent();
    const child = childTraceparent(parent);
    expect(traceIdOf(child)).toBe(traceIdOf(parent));
    expect(child).not.toBe(parent);
  });

  it.each([undefined, '', 'x', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, "00-'; DROP TABLE"])(
    'starts a new trace instead of passing on %p',
    (parent) => expect(childTraceparent(parent)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
  );
});
