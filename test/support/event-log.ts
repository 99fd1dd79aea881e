/** What happened, in order, and a way to wait until enough of it has. */
export class Journal<Entry> {
  readonly entries: Entry[] = [];
  readonly #watchers = new Set<() => void>();

  add(entry: Entry): void {
    this.entries.push(entry);
    for (const watcher of this.#watchers) watcher();
  }

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
