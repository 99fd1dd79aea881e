import type { ClientInfo } from '../../presence/client-info.js';
import type { Presence, PresenceStats } from '../../presence/presence.port.js';
import { Deadlines } from './deadlines.js';
import { Members } from './members.js';

const NOBODY = new Members();

/** Who is in the channels of a process that is alone. */
export class MemoryPresence implements Presence {
  readonly #channels = new Map<string, Members>();
  readonly #deadlines: Deadlines;

  /** @param now any clock in ms that does not jump: a client that is there must not go because the time is set */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.#deadlines = new Deadlines(now, (channel) => this.#look(channel));
  }

  add(channel: string, info: ClientInfo, ttlMs: number): Promise<void> {
    const until = this.now() + ttlMs;
    let members = this.#channels.get(channel);
    if (members === undefined) {
      this.#channels.set(channel, (members = new Members()));
      this.#deadlines.note(channel, until);
    }
    members.add(info, until);
    return Promise.resolve();
  }

  remove(channel: string, clientId: string): Promise<void> {
    const members = this.#channels.get(channel);
    members?.remove(clientId);
    if (members?.stats.clients === 0) this.#channels.delete(channel);
    return Promise.resolve();
  }

  members(channel: string): Promise<Map<string, ClientInfo>> {
    return Promise.resolve(this.#present(channel).toMap());
  }

  stats(channel: string): Promise<PresenceStats> {
    return Promise.resolve(this.#present(channel).stats);
  }

  close(): Promise<void> {
    this.#deadlines.close();
    this.#channels.clear();
    return Promise.resolve();
  }

  #present(channel: string): Members {
    const members = this.#channels.get(channel) ?? NOBODY;
    members.sweep(this.now());
    return members;
  }

  /** Answers when the next entry may run out. */
  #look(channel: string): number | undefined {
    const members = this.#present(channel);
    if (members.stats.clients > 0) return members.deadline;
    this.#channels.delete(channel);
    return undefined;
  }
}
