import { PresenceTooLargeError } from '../../delivery.errors.js';
import { bytesOfInfo, type ClientInfo } from '../../presence/client-info.js';
import type { PresenceStats } from '../../presence/presence.port.js';

interface Member {
  readonly info: ClientInfo;
  readonly expiresAt: number;
}

/** The clients in one channel. Times are by the clock of the presence, in ms. */
export class Members {
  readonly #byClient = new Map<string, Member>();
  readonly #clientsByUser = new Map<string, number>();
  /** No member expires before this time. */
  #nextExpiry = Infinity;

  get stats(): PresenceStats {
    return { clients: this.#byClient.size, users: this.#clientsByUser.size };
  }

  /** When the next member may expire. */
  get deadline(): number {
    return this.#nextExpiry;
  }

  /** @throws PresenceTooLargeError */
  toMap(maxBytes: number): Map<string, ClientInfo> {
    const infos = new Map<string, ClientInfo>();
    let bytes = 0;
    for (const { info } of this.#byClient.values()) {
      bytes += bytesOfInfo(info);
      if (bytes > maxBytes) throw new PresenceTooLargeError(maxBytes);
      infos.set(info.client, info);
    }
    return infos;
  }

  add(info: ClientInfo, expiresAt: number): void {
    this.remove(info.client);
    this.#byClient.set(info.client, { info, expiresAt });
    this.#clientsByUser.set(info.user, (this.#clientsByUser.get(info.user) ?? 0) + 1);
    this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
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

  /** Removes expired members. Checks each one only if one may have expired. */
  sweep(now: number): void {
    if (now < this.#nextExpiry) return;
    this.#nextExpiry = Infinity;
    for (const [client, { expiresAt }] of this.#byClient) {
      if (expiresAt <= now) this.remove(client);
      else this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    }
  }
}
