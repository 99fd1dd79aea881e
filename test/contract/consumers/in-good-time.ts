/** Lets time pass for a store. */
export type Elapse = (ms: number) => Promise<void>;

/**
 * Plays a round in which a store forgets what is `windowMs` old, and in which everything else has to be quick beside that.
 * Where the machine was too slow for it, the round proves nothing and is played again, with more time.
 *
 * @param round takes names that no round before it used
 */
export async function inGoodTime(
  windowMs: number,
  elapse: Elapse,
  round: (windowMs: number, elapse: Elapse) => Promise<void>,
): Promise<void> {
  const began = performance.now();
  let elapsed = 0;
  try {
    await round(windowMs, async (ms) => {
      elapsed += ms;
      await elapse(ms);
    });
  } catch (error) {
    const lost = performance.now() - began - elapsed;
    if (lost < windowMs / 10) throw error;
    await inGoodTime(windowMs * 4, elapse, round);
  }
}
