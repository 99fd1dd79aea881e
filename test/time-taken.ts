const TICK_MS = 10;
/** What is longer than this between two ticks is a pause that the machine made, or the test itself. */
const LONGEST_TICK_MS = 50;

/**
 * How long the work takes, in ms of the time that this process had. A process that stands still because others have
 * the processor does not wait longer by its own timers than it was told to; only its clock says so.
 */
export async function timeTaken(work: () => PromiseLike<unknown>): Promise<number> {
  let [taken, last] = [0, performance.now()];
  const tick = (): void => {
    const now = performance.now();
    taken += Math.min(now - last, LONGEST_TICK_MS);
    last = now;
  };
  const ticking = setInterval(tick, TICK_MS);
  try {
    await work();
  } finally {
    clearInterval(ticking);
  }
  tick();
  return taken;
}
