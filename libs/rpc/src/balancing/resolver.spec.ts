import { resolverOf } from './resolver.js';

function resolve(target: string): Promise<readonly string[]> {
  return new Promise((done) => {
    const close = resolverOf(target)((addresses) => {
      done(addresses);
      setImmediate(() => close());
    });
  });
}

it.each([
  ['127.0.0.1:1', ['127.0.0.1:1']],
  ['[::1]:1', ['[::1]:1']],
  ['static:127.0.0.1:1,[::1]:2', ['127.0.0.1:1', '[::1]:2']],
  ['ipv4:127.0.0.1:1,127.0.0.1:2', ['127.0.0.1:1', '127.0.0.1:2']],
])('reads %s', async (target, addresses) => {
  expect(await resolve(target)).toEqual(addresses);
});

it.each(['localhost:7', 'dns:///localhost:7', 'dns:localhost:7', 'static:localhost:7,127.0.0.1:7'])(
  'looks up the name in %s',
  async (target) => {
    expect(await resolve(target)).toContain('127.0.0.1:7');
  },
);
