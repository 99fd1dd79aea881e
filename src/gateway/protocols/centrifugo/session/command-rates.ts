import { KeyedRateLimit, RateLimit } from '../../../../limits/index.js';
import type { ClientOptions } from '../centrifugo.options.js';
import type { Session } from './session.js';
import type { Users } from './users.js';

/** Limits the rate of commands per connection, per user and per address. */
export class CommandRates {
  readonly #byConnection: RateLimit;
  readonly #byUser: RateLimit;
  readonly #byAddress: KeyedRateLimit;

  constructor(
    { connection, user, address }: ClientOptions['rates'],
    private readonly users: Users,
  ) {
    this.#byConnection = new RateLimit(connection);
    this.#byUser = new RateLimit(user);
    this.#byAddress = new KeyedRateLimit(address);
  }

  admits(session: Session): boolean {
    const nowMs = performance.now();
    const rate = this.#byConnection.next(session.commandRate, nowMs);
    if (rate === undefined) return false;
    session.commandRate = rate;
    return (
      this.#admitsUser(session.user, nowMs) && this.#byAddress.take(session.transport.network, nowMs) === 0
    );
  }

  /** Anonymous clients are not one user, so they have no common limit. */
  #admitsUser(id: string, nowMs: number): boolean {
    const user = id === '' ? undefined : this.users.find(id);
    if (user === undefined) return true;
    const rate = this.#byUser.next(user.commandRate, nowMs);
    if (rate === undefined) return false;
    user.commandRate = rate;
    return true;
  }
}
