import { register } from 'prom-client';

/** Matches Carillon's own metrics, not those of Node.js. */
const OURS = /^(?:carillon|messagebus)_/;

/** Returns the counters and gauges of this process by name, each summed over its labels. */
export async function totals(): Promise<Record<string, number>> {
  const names = register.getMetricsAsArray().flatMap(({ name }) => (OURS.test(name) ? [name] : []));
  const metrics = names.flatMap((name) => register.getSingleMetric(name) ?? []);
  const sums: Record<string, number> = {};
  for (const metric of metrics) {
    const { name, type, values } = await metric.get();
    if (isCounted(type)) sums[name] = values.reduce((total, { value }) => total + value, 0);
  }
  return sums;
}

/** Takes `unknown`, because the types of prom-client say that `type` is a number. */
function isCounted(type: unknown): boolean {
  return type === 'counter' || type === 'gauge';
}
