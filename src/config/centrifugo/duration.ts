const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/**
 * Returns the milliseconds of a duration in Go's notation, such as `300s`, `1h30m`, `1.5h` or `0`, rounded up. Returns undefined for
 * anything else.
 */
export function parseDuration(text: unknown): number | undefined {
  if (text === '0' || text === 0) return 0;
  if (typeof text !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g))
    milliseconds += Number(amount) * UNITS.get(unit!)!;
  return Math.ceil(milliseconds);
}
