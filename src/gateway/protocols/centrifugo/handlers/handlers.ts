import { closeCodes } from '../../../connection/close-codes.js';
import { Connecting } from './connect-handler.js';
import { CommandRefusedError, ConnectionForfeitedError, replyErrors } from '../centrifugo.errors.js';
import { Publishing } from './publish-handler.js';
import { Reading } from './query-handler.js';
import { Refreshing } from './refresh-handler.js';
import type { Handlers } from '../session/session.js';
import type { Shared } from './handler-dependencies.js';
import { Subscribing } from './subscribe-handler.js';

/** Who carries out which command. */
export function createHandlers(shared: Shared, version: string): Handlers {
  const connecting = new Connecting(shared, version);
  const subscribing = new Subscribing(shared);
  const publishing = new Publishing(shared);
  const reading = new Reading(shared);
  const refreshing = new Refreshing(shared);
  return {
    connect: (session, id, request) => connecting.connect(session, id, request),
    subscribe: (session, id, request) => subscribing.subscribe(session, id, request),
    unsubscribe: (session, id, request) => subscribing.unsubscribe(session, id, request),
    publish: (session, id, request) => publishing.publish(session, id, request),
    presence: (session, id, request) => reading.presence(session, id, request),
    presenceStats: (session, id, request) => reading.presenceStats(session, id, request),
    history: (session, id, request) => reading.history(session, id, request),
    refresh: (session, id, request) => refreshing.refresh(session, id, request),
    subRefresh: (session, id, request) => refreshing.subRefresh(session, id, request),
    rpc(_session, _id, { method }) {
      // A method of a namespace that is not configured is another matter than having no methods at all.
      throw new CommandRefusedError(
        method.indexOf(':') > 0 ? replyErrors.methodNotFound : replyErrors.notAvailable,
      );
    },
    send() {
      throw new ConnectionForfeitedError(closeCodes.notAvailable);
    },
  };
}
