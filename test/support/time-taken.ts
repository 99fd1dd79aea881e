const TICK_MS = 10;
/** What is longer than this between two ticks is a pause that the machine made, or the test itself. */
const LONGEST_TICK_MS = 50;

/**
 * How long the work takes, in ms of the time that this process had. A process that stands still because others have
 * the processor does not wait longer by its own timers than it was told to; only its clock says so.
 */
export async function timeTaken(work: () => PromiseLike<unknown>): Promise<number> {
  let taken = 0;
  await ticking(work, (ms) => (taken += Math.min(ms, LONGEST_TICK_MS)));
  return taken;
}

/** For how long the process stood still at a time while it did the work, in ms. */
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
