/** Events in the order in which they happened. A test can wait until the events fulfil a condition. */
export class EventLog<Entry> {
  readonly entries: Entry[] = [];
  readonly #watchers = new Set<() => void>();

  add(entry: Entry): void {
    this.entries.push(entry);
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves with all events when the condition holds. It is checked now and after every event. */
  async until(fulfilled: (entries: readonly Entry[]) => boolean): Promise<readonly Entry[]> {
    if (!fulfilled(this.entries)) {
      await new Promise<void>((resolve) => {
        const watcher = () => {
          if (!fulfilled(this.entries)) return;
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
    return this.entries;
  }

  async atLeast(count: number): Promise<readonly Entry[]> {
    return this.until((entries) => entries.length >= count);
  }
}
