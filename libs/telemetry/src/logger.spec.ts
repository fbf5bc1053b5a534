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
});
