import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Nodes, Takeover } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { RepeatedWarning } from '../../../../limits/index.js';
import type { Session } from './session.js';

const RETRY_MS = 1_000;

const warning = new RepeatedWarning(new Logger('SingleConnectionPolicy'));

/**
 * Keeps one connection per user: the latest one. A new connection announces a takeover, and every process closes the connections of
 * that user with an earlier takeover. The order of two takeovers does not depend on the order in which they arrive, so that two
 * processes on which a user connects at the same moment keep the same connection.
 *
 * The time of a takeover is later than that of every takeover that this process has observed, whatever its clock says. Otherwise a
 * new connection on a process whose clock is slow would be closed instead of the old one.
 */
export class SingleConnectionPolicy {
  #latest = 0;

  constructor(private readonly nodes: Nodes) {}

  /** Retries until the takeover is published. Resolves when it is, or when the session has ended. */
  async takeOver(session: Session): Promise<void> {
    session.takeoverAt = this.#latest = Math.max(Date.now(), this.#latest + 1);
    while (!session.isOver) {
      try {
        return await this.announce(session);
      } catch (error) {
        warning.warn(
          `the older connections of a user could not be closed, retrying in ${RETRY_MS / 1000} s: ${String(error)}`,
        );
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /**
   * Publishes the takeover of a session. It may be published again for a process that has missed it.
   * @throws BrokerUnavailableError
   */
  announce({ id, user, takeoverAt }: Session): Promise<void> {
    const { code, reason } = closeCodes.connectionLimit;
    return this.nodes.command({
      kind: 'disconnect',
      user,
      whitelist: [id],
      disconnect: { code, reason },
      claim: { at: takeoverAt, client: id },
    });
  }

  /** Records the time of a takeover of any process. */
  observe({ at }: Takeover): void {
    this.#latest = Math.max(this.#latest, at);
  }

  /** Whether the takeover of the session is later than the given one. */
  isLater({ id, takeoverAt }: Session, { at, client }: Takeover): boolean {
    return takeoverAt > at || (takeoverAt === at && id > client);
  }
}
