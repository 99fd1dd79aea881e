import {
  connectionChannel,
  userChannel,
  type Delivery,
  type Publication,
  type Subscriber,
} from '../../../../delivery/index.js';
import type { Session } from './session.js';

const NOBODY: ReadonlySet<Session> = new Set();

/** The sessions of one user on this process. They share one subscription to the messages to the user. */
export class UserSessions implements Subscriber {
  readonly sessions = new Set<Session>();
  /** The state of the rate limit per user. */
  commandRate = 0;
  /** Resolves when messages to the user reach this process. */
  attached: Promise<void> | undefined;

  receive(publication: Publication): void {
    for (const session of this.sessions) session.receive(publication);
  }
}

/** The users that are connected to this process. Anonymous clients can only be addressed by connection. */
export class Users {
  readonly #byId = new Map<string, UserSessions>();

  constructor(private readonly delivery: Delivery) {}

  /** The number of user ids. All anonymous clients count as one. */
  get count(): number {
    return this.#byId.size;
  }

  find(user: string): UserSessions | undefined {
    return this.#byId.get(user);
  }

  sessionsOf(user: string): ReadonlySet<Session> {
    return this.#byId.get(user)?.sessions ?? NOBODY;
  }

  /** Adds a session at once. Resolves when messages to the user and to the connection reach it. */
  async enter(session: Session): Promise<void> {
    const { user } = session;
    let entry = this.#byId.get(user);
    if (entry === undefined) {
      this.#byId.set(user, (entry = new UserSessions()));
      if (user !== '') entry.attached = this.delivery.attach(userChannel(user), entry);
    }
    entry.sessions.add(session);
    await Promise.all([entry.attached, this.delivery.attach(connectionChannel(session.id), session)]);
  }

  /** Removes a session. Does nothing if it has not entered. */
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
