import { serverEvents, type ServerEvent } from './sse.ts';

async function eventsOf(...chunks: string[]): Promise<ServerEvent[]> {
  async function* stream() {
    yield* chunks;
  }
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(stream())) events.push(event);
  return events;
}

describe('server-sent events', () => {
  it('are read across chunks', async () => {
    const events = await eventsOf('id: 1\nevent: st', 'ate\ndata: {"a"', ':1}\n', '\ndata: x\n\n');
    expect(events).toEqual([
      { id: '1', event: 'state', data: '{"a":1}' },
      { id: '1', event: 'message', data: 'x' },
    ]);
  });

  it('join several lines of data', async () => {
    expect(await eventsOf('data: a\ndata: b\n\n')).toEqual([{ id: '', event: 'message', data: 'a\nb' }]);
  });

  it('leave comments and unfinished events out', async () => {
    expect(await eventsOf(': still here\n\n', 'data: cut off\n')).toEqual([]);
  });

  it('end lines with CRLF too, even split between chunks', async () => {
    expect(await eventsOf('data: a\r', '\n\r\n')).toEqual([{ id: '', event: 'message', data: 'a' }]);
  });
});
