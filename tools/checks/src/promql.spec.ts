import { namesIn } from './promql.ts';

it('finds metrics, what is asked of them, and what they are grouped by', () => {
  const expression =
    'histogram_quantile(0.99, sum by (le, job) (rate(a_seconds_bucket{code=~"A|B", job!="x{y}"}[5m]))) > 14.4 * 0.001 and on (job) b:c:rate5m';
  expect(namesIn(expression)).toEqual({
    metrics: [
      { name: 'a_seconds_bucket', labels: ['code', 'job'] },
      { name: 'b:c:rate5m', labels: [] },
    ],
    groupedBy: ['le', 'job', 'job'],
  });
});

it.each([
  ['time() - up{job="a"} > 1e9', ['up']],
  ['1 - sum(rate(x_count[$__rate_interval])) / sum(y offset 5m)', ['x_count', 'y']],
  ['increase(z_total[1h]) > bool 0 unless up', ['z_total', 'up']],
])('finds the metrics of %s', (expression, names) => {
  expect(namesIn(expression).metrics.map(({ name }) => name)).toEqual(names);
});
