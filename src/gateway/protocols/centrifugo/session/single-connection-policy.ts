import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Claim, Delivery } from '../../../../delivery/index.js';
import { closeCodes } from '../../../connection/close-codes.js';
import { RepeatedWarning } from '../../../../limits/index.js';
import type { Session } from './session.js';

const RETRY_MS = 1_000;

const warning = new RepeatedWarning(new Logger('Claims'));

/**
 * Leaves each user one connection: the one that connected last. A new connection claims its user, and every process closes those
 * of earlier claims. Which of two claims is the later one does not depend on the order in which they arrive, so that of two
 * connections that come at the same moment on two processes both processes keep the same one.
 *
 * The time of a claim is later than that of every claim that was heard of here, whatever the clock says: a clock that is behind
 * does not make a newcomer the older one.
 */
export class Claims {
  #latest = 0;

  constructor(private readonly delivery: Delivery) {}

  /** Resolves when the store has taken the claim, or nobody stands behind it any more. */
  async make(session: Session): Promise<void> {
    session.claimedAt = this.#latest = Math.max(Date.now(), this.#latest + 1);
    while (!session.isOver) {
      try {
        return await this.repeat(session);
      } catch (error) {
        warning.warn(`the older connections of a user are still there: ${String(error)}`);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /**
   * For a process that does not know of the claim: it may be younger than it.
   * @throws BrokerUnavailableError
   */
  repeat({ id, user, claimedAt }: Session): Promise<void> {
    const { code, reason } = closeCodes.connectionLimit;
    return this.delivery.command({
      kind: 'disconnect',
      user,
      whitelist: [id],
      disconnect: { code, reason },
      claim: { at: claimedAt, client: id },
    });
  }

  hear({ at }: Claim): void {
    this.#latest = Math.max(this.#latest, at);
  }

  /** Whether the session has a later claim than the given one. */
  outdoes({ id, claimedAt }: Session, { at, client }: Claim): boolean {
    return claimedAt > at || (claimedAt === at && id > client);
  }
}
