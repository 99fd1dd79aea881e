import { closeCodes } from '../close-codes.js';
import { ConnectHandler } from './connect-handler.js';
import { DisconnectError } from '../centrifugo.errors.js';
import { PublishHandler } from './publish-handler.js';
import { QueryHandler } from './query-handler.js';
import { RefreshHandler } from './refresh-handler.js';
import type { Handlers } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { RpcHandler } from './rpc-handler.js';
import { SubscribeHandler } from './subscribe-handler.js';

/** Creates the handler of each command. */
export function createHandlers(dependencies: HandlerDependencies, version: string): Handlers {
  const connectHandler = new ConnectHandler(dependencies, version);
  const subscribeHandler = new SubscribeHandler(dependencies);
  const publishHandler = new PublishHandler(dependencies);
  const queryHandler = new QueryHandler(dependencies);
  const refreshHandler = new RefreshHandler(dependencies);
  const rpcHandler = new RpcHandler(dependencies);
  return {
    connect: (session, id, request) => connectHandler.connect(session, id, request),
    subscribe: (session, id, request) => subscribeHandler.subscribe(session, id, request),
    unsubscribe: (session, id, request) => subscribeHandler.unsubscribe(session, id, request),
    publish: (session, id, request) => publishHandler.publish(session, id, request),
    presence: (session, id, request) => queryHandler.presence(session, id, request),
    presenceStats: (session, id, request) => queryHandler.presenceStats(session, id, request),
    history: (session, id, request) => queryHandler.history(session, id, request),
    refresh: (session, id, request) => refreshHandler.refresh(session, id, request),
    subRefresh: (session, id, request) => refreshHandler.subRefresh(session, id, request),
    rpc: (session, id, request) => rpcHandler.rpc(session, id, request),
    send() {
      throw new DisconnectError(closeCodes.notAvailable);
    },
  };
}
