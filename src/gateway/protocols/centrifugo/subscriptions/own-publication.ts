import { settlesWithin } from '../../../../async/index.js';

/** How long the reply to a publish waits for the publication, in ms. */
const MAX_WAIT_MS = 1_000;

/** A publication of a client in a channel to which it is subscribed, on its way back to the client. */
export class OwnPublication {
  #isDone = false;
  #waiting: (() => void) | undefined;

  constructor(private readonly id: string) {}

  onSeen(id: string | undefined): void {
    if (id === this.id) this.giveUp();
  }

  /** Stops waiting. */
  giveUp(): void {
    this.#isDone = true;
    this.#waiting?.();
  }

  /** Resolves when the client has received it, or after a second. */
  async seen(): Promise<void> {
    if (this.#isDone) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = resolve;
    await settlesWithin(MAX_WAIT_MS, promise);
  }
}
