import { settlesWithin } from '../../../../async/index.js';

/** How long an answer waits for the publication that it is about, in ms. */
const PATIENCE_MS = 1_000;

/** A publication of a client in a channel that it is subscribed to, on its way back to it. */
export class OwnPublication {
  #isDone = false;
  #waiting: (() => void) | undefined;

  constructor(private readonly id: string) {}

  onSeen(id: string | undefined): void {
    if (id === this.id) this.giveUp();
  }

  /** Nothing is waited for any more. */
  giveUp(): void {
    this.#isDone = true;
    this.#waiting?.();
  }

  /** Resolves when the client has it, and in any case soon. */
  async seen(): Promise<void> {
    if (this.#isDone) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = resolve;
    await settlesWithin(PATIENCE_MS, promise);
  }
}
