import { jsonLine, readableLine } from './log-format.ts';

const entry = { level: 'info', time: '2026-01-02T03:04:05.000Z', service: 'orders', msg: 'ready', port: 15054 };

describe('a line of a log', () => {
  it('is readable on a terminal', () => {
    const line = readableLine('orders', JSON.stringify(entry), false);
    expect(line).toMatch(/^\d\d:\d\d:05 orders +ready port=15054$/);
  });

  it.each(['warn', 40])('names its level %p where it matters', (level) => {
    expect(readableLine('orders', JSON.stringify({ ...entry, level }), false)).toContain(' WARN ready');
  });

  it('shows the stack of an error below, indented', () => {
    const line = readableLine('orders', JSON.stringify({ ...entry, err: { stack: 'Error: no\n at x' } }), false);
    expect(line.split('\n').slice(1)).toEqual(['    Error: no', '     at x']);
  });

  it('has colour only where it is asked for', () => {
    expect(readableLine('orders', JSON.stringify(entry), true)).toContain('\u001B[');
    expect(readableLine('orders', JSON.stringify(entry), false)).not.toContain('\u001B[');
  });

  it.each(['plain words', '{ not json'])('is shown as it is when it is no JSON: %s', (text) => {
    expect(readableLine('orders', text, false)).toContain(`orders        ${text}`);
  });

  it('is passed through as JSON elsewhere, and made JSON where it is none', () => {
    const now = new Date(0);
    expect(jsonLine('orders', JSON.stringify(entry), now)).toBe(JSON.stringify(entry));
    expect(JSON.parse(jsonLine('orders', 'words', now))).toMatchObject({ service: 'orders', msg: 'words' });
  });
});
