import { z } from 'zod';
import { address, flag, port, secret, wholeNumber } from './fields.js';
import { ConfigError, loadConfig } from './load-config.js';

function sentences(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    return (error as ConfigError).sentences;
  }
  return [];
}

describe('loadConfig', () => {
  const shape = { GRPC_PORT: port(), CATALOG: address(), MODE: z.enum(['fast', 'safe']).default('safe') };

  it('gives typed values and defaults', () => {
    const config = loadConfig(shape, { GRPC_PORT: '50053', CATALOG: '127.0.0.1:50052', OTHER: 'x' });
    expect(config).toEqual({ GRPC_PORT: 50053, CATALOG: '127.0.0.1:50052', MODE: 'safe' });
  });

  it('names every wrong variable in one sentence', () => {
    expect(sentences(() => loadConfig(shape, { GRPC_PORT: 'abc', MODE: 'slow' }))).toEqual([
      'GRPC_PORT is wrong: it must be a port number.',
      'CATALOG is not set.',
      'MODE is wrong: it must be one of fast, safe.',
    ]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ MODE: shape.MODE }, { MODE: '' })).toEqual({ MODE: 'safe' });
    expect(sentences(() => loadConfig({ GRPC_PORT: port() }, { GRPC_PORT: '' }))).toEqual(['GRPC_PORT is not set.']);
  });

  it('never shows a value', () => {
    const everything = { TOKEN: secret(40), PORT: port(), URL: z.url(), ON: flag(), N: wholeNumber(), AT: address() };
    const value = 'hunter2';
    const env = Object.fromEntries(Object.keys(everything).map((name) => [name, value]));
    const message = sentences(() => loadConfig(everything, env)).join('\n');
    expect(message.split('\n')).toHaveLength(6);
    expect(message).not.toContain(value);
  });

  it('throws a ConfigError', () => {
    expect(() => loadConfig(shape, {})).toThrow(ConfigError);
  });
});
