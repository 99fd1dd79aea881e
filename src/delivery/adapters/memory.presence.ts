import type { ClientInfo } from '../../bus/index.js';
import type { Presence, PresenceStats } from '../presence.port.js';
import { Deadlines } from './memory.deadlines.js';

interface Entry {
  readonly info: ClientInfo;
  /** By the clock of the presence, in ms. */
  readonly until: number;
}

/** Who is in the channels of a process that is alone. */
export class MemoryPresence implements Presence {
  readonly #channels = new Map<string, Map<string, Entry>>();
  readonly #deadlines: Deadlines;

  /** @param now any clock in ms that does not jump: a client that is there must not go because the time is set */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.#deadlines = new Deadlines(now, (channel, nowMs) => this.#drop(channel, nowMs));
  }

  /** Channels with an entry. */
  get channelCount(): number {
    return this.#channels.size;
  }

  add(channel: string, info: ClientInfo, ttlMs: number): Promise<void> {
    const until = this.now() + ttlMs;
    const entries = this.#channels.get(channel);
    if (entries !== undefined) entries.set(info.client, { info, until });
    else {
      this.#channels.set(channel, new Map([[info.client, { info, until }]]));
      this.#deadlines.note(channel, until);
    }
    return Promise.resolve();
  }

  remove(channel: string, clientId: string): Promise<void> {
    const entries = this.#channels.get(channel);
    if (entries?.delete(clientId) && entries.size === 0) this.#channels.delete(channel);
    return Promise.resolve();
  }

  members(channel: string): Promise<Map<string, ClientInfo>> {
    return Promise.resolve(new Map(this.#present(channel).map((info) => [info.client, info])));
  }

  stats(channel: string): Promise<PresenceStats> {
    const present = this.#present(channel);
    return Promise.resolve({
      clients: present.length,
      users: new Set(present.map(({ user }) => user)).size,
    });
  }

  close(): Promise<void> {
    this.#deadlines.close();
    this.#channels.clear();
    return Promise.resolve();
  }

  #present(channel: string): ClientInfo[] {
    const now = this.now();
    const entries = this.#channels.get(channel)?.values() ?? [];
    return [...entries].filter(({ until }) => until > now).map(({ info }) => info);
  }

  /** Answers when the next entry may run out. */
  #drop(channel: string, now: number): number | undefined {
    const entries = this.#channels.get(channel);
    if (entries === undefined) return undefined;
    let next = Infinity;
    for (const [client, { until }] of entries) {
      if (until <= now) entries.delete(client);
      else next = Math.min(next, until);
    }
    if (entries.size > 0) return next;
    this.#channels.delete(channel);
    return undefined;
  }
}
