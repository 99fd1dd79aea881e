import type { ClientInfo } from '../../presence/client-info.js';
import type { PresenceStats } from '../../presence/presence.port.js';

interface Member {
  readonly info: ClientInfo;
  readonly until: number;
}

/** Who is in one channel. Times are those of the clock that its presence goes by, in ms. */
export class Members {
  readonly #byClient = new Map<string, Member>();
  /** How many of the clients are a user's. */
  readonly #clientsByUser = new Map<string, number>();
  /** Nobody's time is over before. */
  #fullUntil = Infinity;

  get stats(): PresenceStats {
    return { clients: this.#byClient.size, users: this.#clientsByUser.size };
  }

  /** When somebody's time may be over. */
  get deadline(): number {
    return this.#fullUntil;
  }

  toMap(): Map<string, ClientInfo> {
    return new Map(this.#byClient.values().map(({ info }) => [info.client, info]));
  }

  add(info: ClientInfo, until: number): void {
    this.remove(info.client);
    this.#byClient.set(info.client, { info, until });
    this.#clientsByUser.set(info.user, (this.#clientsByUser.get(info.user) ?? 0) + 1);
    this.#fullUntil = Math.min(this.#fullUntil, until);
  }

  remove(client: string): void {
    const member = this.#byClient.get(client);
    if (member === undefined) return;
    this.#byClient.delete(client);
    const { user } = member.info;
    const others = this.#clientsByUser.get(user)! - 1;
    if (others === 0) this.#clientsByUser.delete(user);
    else this.#clientsByUser.set(user, others);
  }

  /** Drops those whose time is over. Looks at each only when somebody's may be. */
  sweep(now: number): void {
    if (now < this.#fullUntil) return;
    this.#fullUntil = Infinity;
    for (const [client, { until }] of this.#byClient) {
      if (until <= now) this.remove(client);
      else this.#fullUntil = Math.min(this.#fullUntil, until);
    }
  }
}
