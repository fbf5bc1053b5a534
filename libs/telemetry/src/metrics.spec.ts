import { metrics, metricsText } from './metrics.js';
import { LABELS, METRICS } from './names.js';

describe('metrics', () => {
  it('gives the same metric for the same name', async () => {
    metrics.counter('mails_total').inc({ outcome: 'SENT' });
    metrics.counter('mails_total').inc({ outcome: 'SENT' });
    expect(await metricsText()).toContain('mails_total{outcome="SENT"} 2');
  });

  it('writes timings, levels and the process itself', async () => {
    metrics.histogram('db_pool_wait_seconds').observe(0.02);
    metrics.gauge('orders_sagas_parked').set(7);
    const text = await metricsText();
    expect(text).toContain('db_pool_wait_seconds_bucket{le="0.025"} 1');
    expect(text).toContain('orders_sagas_parked 7');
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('asks for a level whenever it is read', async () => {
    let waiting = 0;
    metrics.gauge('db_pool_waiting', (gauge) => gauge.set(++waiting));
    expect(await metricsText()).toContain('db_pool_waiting 1');
    expect(await metricsText()).toContain('db_pool_waiting 2');
  });
});

describe('the names of metrics', () => {
  it.each(Object.entries(METRICS))("%s keeps to Prometheus' conventions", (name, { type, help, labels }) => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(help).toMatch(/^[A-Z1].*[^.]$/);
    for (const label of labels) expect(LABELS).toHaveProperty(label);
  });
});
