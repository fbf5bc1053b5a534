// Server-sent events, as the HTML standard defines their text.

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** The events in a stream of text, each as soon as it is whole. */
export async function* serverEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let rest = '';
  let id = '';
  for await (const chunk of chunks) {
    rest += chunk;
    // A lone CR at the end may be the first half of a CRLF.
    const whole = /^[^]*?(?:\r\n|\n|\r(?!$))(?:\r\n|\n|\r(?!$))/;
    for (let match = whole.exec(rest); match; match = whole.exec(rest)) {
      rest = rest.slice(match[0].length);
      const event = parseEvent(match[0], id);
      id = event.id;
      if (event.data !== '') yield event;
    }
  }
}

function parseEvent(text: string, lastId: string): ServerEvent {
  const event: ServerEvent = { id: lastId, event: 'message', data: '' };
  const data: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [, field, value = ''] = /^([^:]+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'id' || field === 'event') event[field] = value;
  }
  return { ...event, data: data.join('\n') };
}
