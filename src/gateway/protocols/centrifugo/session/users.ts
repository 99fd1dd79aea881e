import {
  connectionChannel,
  userChannel,
  type Delivery,
  type Publication,
  type Subscriber,
} from '../../../../delivery/index.js';
import type { Session } from './session.js';

const NOBODY: ReadonlySet<Session> = new Set();

/** The sessions of one user on this process. Together they are one subscriber for what is sent to the user. */
export class UserSessions implements Subscriber {
  readonly sessions = new Set<Session>();
  /** State of the rate limit by user. */
  commandRate = 0;
  /** Resolves when what is sent to the user reaches this process. */
  reached: Promise<void> | undefined;

  receive(publication: Publication): void {
    for (const session of this.sessions) session.receive(publication);
  }
}

/** Who is connected here, and so can be addressed by user or by connection. Anonymous clients have no address but their connection. */
export class Users {
  readonly #byId = new Map<string, UserSessions>();

  constructor(private readonly delivery: Delivery) {}

  /** Different user ids; all anonymous clients count as one. */
  get count(): number {
    return this.#byId.size;
  }

  find(user: string): UserSessions | undefined {
    return this.#byId.get(user);
  }

  sessionsOf(user: string): ReadonlySet<Session> {
    return this.#byId.get(user)?.sessions ?? NOBODY;
  }

  /** Resolves when what is sent to the user or the connection reaches the session. It is one of the user's at once. */
  async enter(session: Session): Promise<void> {
    const { user } = session;
    let entry = this.#byId.get(user);
    if (entry === undefined) {
      this.#byId.set(user, (entry = new UserSessions()));
      if (user !== '') entry.reached = this.delivery.attach(userChannel(user), entry);
    }
    entry.sessions.add(session);
    await Promise.all([entry.reached, this.delivery.attach(connectionChannel(session.id), session)]);
  }

  /** Does nothing for a session that has not entered. */
  leave(session: Session): void {
    const { user } = session;
    const entry = this.#byId.get(user);
    if (!entry?.sessions.delete(session)) return;
    this.delivery.detach(connectionChannel(session.id), session);
    if (entry.sessions.size > 0) return;
    this.#byId.delete(user);
    if (user !== '') this.delivery.detach(userChannel(user), entry);
  }
}
