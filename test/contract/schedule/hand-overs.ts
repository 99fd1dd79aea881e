import type { ScheduledMessage } from '../../../src/message/index.js';

export interface HandOver {
  readonly message: ScheduledMessage;
  /** Unix time in ms at which the handler was called. */
  readonly at: number;
}

/** Records the hand-overs of a schedule. */
export class HandOvers {
  /** Every call of the handler, in order. */
  readonly all: HandOver[] = [];
  readonly #completed: string[] = [];
  #waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];

  start(message: ScheduledMessage): void {
    this.all.push({ message, at: Date.now() });
    this.#notify();
  }

  end(message: ScheduledMessage): void {
    this.#completed.push(message.id);
    this.#notify();
  }

  ids(): string[] {
    return this.all.map(({ message }) => message.id);
  }

  completedIds(): readonly string[] {
    return this.#completed;
  }

  message(id: string): ScheduledMessage {
    const found = this.all.find(({ message }) => message.id === id);
    if (found === undefined) throw new Error(`${id} was not handed over`);
    return found.message;
  }

  /** Resolves when the handler has been called `count` times. */
  started(count: number): Promise<void> {
    return this.#until(() => this.all.length >= count);
  }

  /** Resolves when the handler has resolved `count` times. */
  completed(count: number): Promise<void> {
    return this.#until(() => this.#completed.length >= count);
  }

  #until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isMet, resolve }));
  }

  #notify(): void {
    this.#waiting = this.#waiting.filter(({ isMet, resolve }) => {
      if (!isMet()) return true;
      resolve();
      return false;
    });
  }
}
