import type { ClientInfo } from '../../presence/client-info.js';
import type { Presence, PresenceStats } from '../../presence/presence.port.js';
import { Deadlines } from './deadlines.js';
import { Members } from './members.js';

const EMPTY = new Members();

/** The clients in the channels of a single process. */
export class MemoryPresence implements Presence {
  readonly #channels = new Map<string, Members>();
  readonly #deadlines: Deadlines;

  /** @param now a monotonic clock in ms: setting the time of the machine must not remove clients */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.#deadlines = new Deadlines(now, (channel) => this.#onDeadline(channel));
  }

  add(channel: string, info: ClientInfo, ttlMs: number): Promise<void> {
    const expiresAt = this.now() + ttlMs;
    let members = this.#channels.get(channel);
    if (members === undefined) {
      this.#channels.set(channel, (members = new Members()));
      this.#deadlines.add(channel, expiresAt);
    }
    members.add(info, expiresAt);
    return Promise.resolve();
  }

  remove(channel: string, clientId: string): Promise<void> {
    const members = this.#channels.get(channel);
    members?.remove(clientId);
    if (members?.stats.clients === 0) this.#channels.delete(channel);
    return Promise.resolve();
  }

  async members(channel: string, maxBytes = Number.MAX_SAFE_INTEGER): Promise<Map<string, ClientInfo>> {
    return this.#membersOf(channel).toMap(maxBytes);
  }

  stats(channel: string): Promise<PresenceStats> {
    return Promise.resolve(this.#membersOf(channel).stats);
  }

  close(): Promise<void> {
    this.#deadlines.close();
    this.#channels.clear();
    return Promise.resolve();
  }

  #membersOf(channel: string): Members {
    const members = this.#channels.get(channel) ?? EMPTY;
    members.sweep(this.now());
    return members;
  }

  /** Returns when the next member may expire. */
  #onDeadline(channel: string): number | undefined {
    const members = this.#membersOf(channel);
    if (members.stats.clients > 0) return members.deadline;
    this.#channels.delete(channel);
    return undefined;
  }
}
