import type { DueLoop } from './due-loop.js';
import type { ScheduleConsumer } from './schedule.port.js';

type Loop = Pick<DueLoop, 'wakeIn' | 'close'>;

/** The loops over one store. They are woken and closed together. A store with several groups has loops for each group. */
export class DueLoops {
  readonly #byGroup = new Map<string, Set<Loop>>();

  /** Returns a consumer that closes this loop. */
  add(loop: Loop, group = ''): ScheduleConsumer {
    const loops = this.#byGroup.get(group) ?? new Set();
    this.#byGroup.set(group, loops.add(loop));
    return {
      close: async () => {
        await loop.close();
        loops.delete(loop);
      },
    };
  }

  wakeIn(ms: number, group = ''): void {
    for (const loop of this.#byGroup.get(group) ?? []) loop.wakeIn(ms);
  }

  async close(): Promise<void> {
    const loops = [...this.#byGroup.values()].flatMap((ofGroup) => [...ofGroup]);
    await Promise.all(loops.map((loop) => loop.close()));
  }
}
