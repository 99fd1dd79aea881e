import type { ReceivedRecord } from '../../../src/message/index.js';
import { bodyOf, positionOf } from './records.js';

/** The records that one subscription has accepted. */
export class Inbox {
  readonly records: ReceivedRecord[] = [];
  readonly #bodies = new Set<string>();
  readonly #watchers = new Set<() => void>();

  add(records: readonly ReceivedRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.#bodies.add(bodyOf(record));
    }
    for (const watcher of this.#watchers) watcher();
  }

  has(body: string): boolean {
    return this.#bodies.has(body);
  }

  async until(fulfilled: () => boolean): Promise<void> {
    await Inbox.#watch([this], fulfilled);
  }

  /** Resolves when so many different records have arrived. Redeliveries do not count. */
  async atLeast(count: number): Promise<readonly ReceivedRecord[]> {
    await Inbox.together([this], count);
    return this.records;
  }

  /** The same for several inboxes together. */
  static async together(inboxes: readonly Inbox[], count: number): Promise<void> {
    await Inbox.#watch(inboxes, () => {
      const positions = inboxes.flatMap(({ records }) => records.map(positionOf));
      return new Set(positions).size >= count;
    });
  }

  static async #watch(inboxes: readonly Inbox[], fulfilled: () => boolean): Promise<void> {
    if (fulfilled()) return;
    await new Promise<void>((resolve) => {
      const watcher = () => {
        if (!fulfilled()) return;
        for (const inbox of inboxes) inbox.#watchers.delete(watcher);
        resolve();
      };
      for (const inbox of inboxes) inbox.#watchers.add(watcher);
    });
  }
}
