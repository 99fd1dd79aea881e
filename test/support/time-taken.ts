const TICK_MS = 10;
/** A longer time between two ticks is a pause of the machine, or of the test itself. */
const LONGEST_TICK_MS = 50;

/**
 * Measures the work, in ms, without the time in which the process was not running. On a busy machine the process may be
 * suspended, which the clock counts although the process has not waited.
 */
export async function timeTaken(work: () => PromiseLike<unknown>): Promise<number> {
  let taken = 0;
  await ticking(work, (ms) => (taken += Math.min(ms, LONGEST_TICK_MS)));
  return taken;
}

/** Returns the longest time for which the process was not running during the work, in ms. */
export async function longestPause(work: () => PromiseLike<unknown>): Promise<number> {
  let longest = 0;
  await ticking(work, (ms) => (longest = Math.max(longest, ms)));
  return longest;
}

async function ticking(work: () => PromiseLike<unknown>, onTick: (ms: number) => void): Promise<void> {
  let last = performance.now();
  const tick = (): void => {
    const now = performance.now();
    onTick(now - last);
    last = now;
  };
  const timer = setInterval(tick, TICK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  tick();
}
