import { FanoutClosedError } from '../../delivery.errors.js';
import type { Fanout, PublicationHandler } from '../../fanout.port.js';
import type { Publication } from '../../publications/publication.js';

const DONE = Promise.resolve();

/** The fan-out of a single process. Calls the handler before `publish` returns. */
export class LocalFanout implements Fanout {
  readonly repeats = false;
  #closed = false;

  constructor(private readonly handler: PublicationHandler) {}

  publish(publication: Publication): Promise<void> {
    if (this.#closed) return Promise.reject(new FanoutClosedError());
    this.handler(publication);
    return DONE;
  }

  subscribe(_channel: string): Promise<void> {
    return this.#closed ? Promise.reject(new FanoutClosedError()) : DONE;
  }

  unsubscribe(_channel: string): void {}

  close(): Promise<void> {
    this.#closed = true;
    return DONE;
  }
}
