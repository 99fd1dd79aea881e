import { register } from 'prom-client';

/** What this program counts, and not Node. */
const OURS = /^(?:carillon|messagebus)_/;

/** The counters and gauges of this process by their names, each over all of its labels. */
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

/** The types of prom-client say that this is a number. */
function isCounted(type: unknown): boolean {
  return type === 'counter' || type === 'gauge';
}
