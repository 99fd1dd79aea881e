/** Lets time pass for a store: advances its injected clock if it has one, otherwise waits. */
export type Elapse = (ms: number) => Promise<void>;

/**
 * Runs a test in which a store forgets entries that are `windowMs` old. Everything else in the test has to take much less
 * time than that. If the test fails and the machine was too slow, it is repeated with a longer window.
 *
 * @param test has to use new names each time
 */
export async function retryWhenSlow(
  windowMs: number,
  elapse: Elapse,
  test: (windowMs: number, elapse: Elapse) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  let elapsedMs = 0;
  try {
    await test(windowMs, async (ms) => {
      elapsedMs += ms;
      await elapse(ms);
    });
  } catch (error) {
    const otherMs = performance.now() - startedAt - elapsedMs;
    if (otherMs < windowMs / 10) throw error;
    await retryWhenSlow(windowMs * 4, elapse, test);
  }
}
