import { Semaphore } from '../../../async/index.js';
import { type Link, RemotePort } from '../../../ipc/index.js';
import { PresenceTooLargeError } from '../../delivery.errors.js';
import type { ClientInfo } from '../../presence/client-info.js';
import type { Presence, PresenceStats } from '../../presence/presence.port.js';
import { copiedInfo } from './copied-info.js';
import { portErrors } from './port-errors.js';

const NAME = 'presence';
/** A channel may have many members: see `ipc.history.ts`. */
const CONCURRENT_LISTS = 4;

/**
 * The presence of all workers, which the primary process stores. The clients of a worker that dies are removed at once.
 */
export class IpcPresence implements Presence {
  readonly #port: RemotePort;
  readonly #semaphore = new Semaphore(CONCURRENT_LISTS);

  constructor(link: Link) {
    this.#port = new RemotePort(link, NAME, portErrors);
  }

  add(channel: string, info: ClientInfo, ttlMs: number): Promise<void> {
    return this.#port.call('add', channel, info, ttlMs);
  }

  remove(channel: string, clientId: string): Promise<void> {
    return this.#port.call('remove', channel, clientId);
  }

  async members(channel: string, maxBytes = Number.MAX_SAFE_INTEGER): Promise<Map<string, ClientInfo>> {
    const found = await this.#semaphore.run(() =>
      this.#port.call<Map<string, ClientInfo> | undefined>('members', channel, maxBytes),
    );
    if (found === undefined) throw new PresenceTooLargeError(maxBytes);
    return found;
  }

  stats(channel: string): Promise<PresenceStats> {
    return this.#port.call('stats', channel);
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}

/** Serves the presence of the primary process to a worker. */
export function servePresence(link: Link, presence: Presence): void {
  /** The channels of each client of this worker. */
  const entered = new Map<string, Set<string>>();
  link.serve(NAME, {
    add: (channel: string, info: ClientInfo, ttlMs: number) => {
      const channels = entered.get(info.client) ?? new Set();
      entered.set(info.client, channels.add(channel));
      return presence.add(channel, copiedInfo(info), ttlMs);
    },
    remove: (channel: string, clientId: string) => {
      const channels = entered.get(clientId);
      if (channels?.delete(channel) && channels.size === 0) entered.delete(clientId);
      return presence.remove(channel, clientId);
    },
    members: (channel: string, maxBytes: number) =>
      presence.members(channel, maxBytes).catch((error: unknown) => {
        if (error instanceof PresenceTooLargeError) return undefined;
        throw error;
      }),
    stats: (channel: string) => presence.stats(channel),
  });
  link.onEnd(() => {
    for (const [clientId, channels] of entered)
      for (const channel of channels) presence.remove(channel, clientId).catch(() => {}); // the entry expires by itself
  });
}
