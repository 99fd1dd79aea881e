import { type Link, RemotePort, servePort } from '../../../ipc/index.js';
import type { Idempotency } from '../../idempotency.port.js';
import { busFailures } from './failures.js';

const NAME = 'idempotency';

/** The idempotency store of a worker process, which the primary process holds. */
export class IpcIdempotency implements Idempotency {
  readonly #port: RemotePort;

  constructor(link: Link) {
    this.#port = new RemotePort(link, NAME, busFailures);
  }

  reserve(key: string, plan: string, ttlMs: number): Promise<string> {
    return this.#port.call('reserve', key, plan, ttlMs);
  }

  replace(key: string, plan: string, next: string, ttlMs: number): Promise<string> {
    return this.#port.call('replace', key, plan, next, ttlMs);
  }

  release(key: string): Promise<void> {
    return this.#port.call('release', key);
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}

export function serveIdempotency(link: Link, idempotency: Idempotency): void {
  servePort(link, NAME, idempotency, ['reserve', 'replace', 'release']);
}
