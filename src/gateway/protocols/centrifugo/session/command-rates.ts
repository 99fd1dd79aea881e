import { KeyedRateLimit, RateLimit } from '../../../../limits/index.js';
import type { ClientOptions } from '../centrifugo.options.js';
import type { Session } from './session.js';
import type { Users } from './users.js';

/** A command that would have to wait longer than this for other connections of its user or address is refused, in ms. */
const MAX_SHARED_WAIT_MS = 3_000;

/** A client is closed when this many bursts of refused commands came without a pause. */
const MAX_REFUSED_BURSTS = 10;

/**
 * Limits the rate of commands per connection, per user and per address. A command beyond a limit waits, and its client is not
 * read from meanwhile. Refused commands have a limit of their own, because a client may cause them without any right.
 */
export class CommandRates {
  readonly #byConnection: RateLimit;
  readonly #refused: RateLimit;
  readonly #maxRefused: number;
  readonly #byUser: RateLimit;
  readonly #byAddress: KeyedRateLimit;

  constructor(
    { connection, refused, user, address }: ClientOptions['rates'],
    private readonly users: Users,
  ) {
    this.#byConnection = new RateLimit(connection);
    this.#refused = new RateLimit(refused);
    this.#maxRefused = refused.perSecond > 0 ? refused.burst * MAX_REFUSED_BURSTS : Infinity;
    this.#byUser = new RateLimit(user);
    this.#byAddress = new KeyedRateLimit(address);
  }

  /** Counts a command. Returns how long it has to wait for the limits of its connection, in ms. */
  take(session: Session): number {
    const nowMs = performance.now();
    const waitMs = Math.max(
      this.#byConnection.waitMs(session.commandRate, nowMs),
      this.#refused.waitMs(session.refusedRate, nowMs),
    );
    session.commandRate = this.#byConnection.charge(session.commandRate, nowMs);
    return waitMs;
  }

  /**
   * Counts the same command for the limits that connections share. Returns how long it has to wait, in ms; undefined if it is refused,
   * because all connections of its user or address together send too much.
   */
  takeShared(session: Session): number | undefined {
    const nowMs = performance.now();
    const { network } = session.transport;
    // Anonymous clients are not one user, so they have no common limit.
    const user = session.user === '' ? undefined : this.users.find(session.user);
    const userWaitMs = user === undefined ? 0 : this.#byUser.waitMs(user.commandRate, nowMs);
    const waitMs = Math.max(userWaitMs, this.#byAddress.waitMs(network, nowMs));
    if (waitMs > MAX_SHARED_WAIT_MS) return undefined;
    if (user !== undefined) user.commandRate = this.#byUser.charge(user.commandRate, nowMs);
    this.#byAddress.charge(network, nowMs);
    return waitMs;
  }

  /** Counts a command that was refused. Returns false if the client has sent too many. */
  countRefused(session: Session): boolean {
    const nowMs = performance.now();
    // Nothing was refused for so long that the whole burst is available again.
    if (session.refusedRate <= nowMs) session.refused = 0;
    session.refusedRate = this.#refused.charge(session.refusedRate, nowMs);
    return ++session.refused <= this.#maxRefused;
  }
}
