import { every } from '../async/index.js';

/** Measures something regularly, so that a scrape of the metrics does not wait for a store or a broker. */
export class RegularMeasurement {
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param everyMs 0: never */
  constructor(
    private readonly measure: () => Promise<void>,
    everyMs: number,
  ) {
    if (everyMs === 0) return;
    // Unref'd, so that an application whose start failed can exit.
    this.#timer = every('measurement', everyMs, () => this.#measure()).unref();
    this.#measure();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A store that fails reports its own status. */
  #measure(): void {
    this.measure().catch(() => {});
  }
}
