import { metrics, metricsText } from './metrics.js';

describe('metrics', () => {
  it('gives the same metric for the same name', async () => {
    metrics.counter('test_orders_total', 'Orders', ['state']).inc({ state: 'CONFIRMED' });
    metrics.counter('test_orders_total', 'Orders', ['state']).inc({ state: 'CONFIRMED' });
    expect(await metricsText()).toContain('test_orders_total{state="CONFIRMED"} 2');
  });

  it('writes timings, levels and the process itself', async () => {
    metrics.histogram('test_seconds', 'Time').observe(0.02);
    metrics.gauge('test_waiting', 'Waiting').set(7);
    const text = await metricsText();
    expect(text).toContain('test_seconds_bucket{le="0.025"} 1');
    expect(text).toContain('test_waiting 7');
    expect(text).toContain('process_resident_memory_bytes');
  });
});
