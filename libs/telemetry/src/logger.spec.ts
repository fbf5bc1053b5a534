import { runInContext } from './call-context.js';
import { createLogger, type Logger } from './logger.js';

function logged(write: (logger: Logger) => void): Record<string, unknown> {
  let output = '';
  const logger = createLogger('orders', { write: (line) => void (output += line) });
  logger.level = 'info';
  write(logger);
  expect(output.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(output) as Record<string, unknown>;
}

describe('createLogger', () => {
  it('writes one JSON object per line, with the service and the ids of the call', () => {
    const context = { requestId: 'r1', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const line = logged((logger) => runInContext(context, () => logger.info({ orderId: 'o1' }, 'order placed')));
    expect(line).toMatchObject({
      level: 'info',
      service: 'orders',
      msg: 'order placed',
      orderId: 'o1',
      requestId: 'r1',
      traceId: 'a'.repeat(32),
    });
  });

  it('never writes secrets, wherever they sit', () => {
    const details = {
      password: 'hunter2',
      headers: { authorization: 'hunter2' },
      a: { b: { accessToken: 'hunter2' } },
      name: 'kept',
    };
    const line = logged((logger) => logger.info(details, 'login'));
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(line).toMatchObject({ name: 'kept', password: '[redacted]' });
  });

  it.each([
    ['a token in an address', 'GET /v1/orders/1/events?accessToken=hunter2-hunter2&x=1'],
    ['a header', 'authorization: Bearer hunter2.hunter2'],
    ['a web token', 'jwt eyJhbGciOiJFUzI1NiJ9.hunter2.hunter2 expired'],
    ['a password in a URL', 'connect nats://souk:hunter2@127.0.0.1:4222 failed'],
    ['a card', 'No such PaymentMethod: pm_hunter2'],
    ['a mail address', 'invalid recipient "hunter2@shop.example.com"'],
  ])('does not write %s inside of a text', (_what, text) => {
    const line = logged((logger) => logger.warn({ err: new Error(text), note: { text } }, text));
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(line['msg']).toContain('[redacted]');
  });

  it('writes of an error no rows, parameters or requests', () => {
    const rejected = { detail: 'Key (email)=(hunter2) exists.', where: '$1 = hunter2', config: { body: 'hunter2' } };
    const error = Object.assign(new Error('duplicate key'), { ...rejected, code: '23505', constraint: 'users_email' });
    const both = new AggregateError([error], 'both failed', { cause: error });
    const line = logged((logger) => logger.error({ err: both }, 'failed'));
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(line).toMatchObject({ err: { aggregateErrors: [{ code: '23505', constraint: 'users_email' }] } });
  });

  it.each(['just a text', undefined, null, 5])('writes %p, thrown in the place of an error, as it is', (thrown) => {
    expect(logged((logger) => logger.error({ err: thrown }, 'failed'))['err']).toEqual(thrown);
  });
});
