import type { ConnectAttempt, RefreshAttempt } from '../attempts.js';
import type { Authorizer } from '../authorizer.port.js';
import { abstained, type Awaitable, type ConnectDecision, type RefreshDecision } from '../decisions.js';
import type { Proxies } from './proxies.js';
import type { Proxy } from './proxy.js';

/** Lets backends decide about connections: those without a token, and those that expire. */
export class ConnectionProxiesAuthorizer implements Authorizer {
  readonly #connect: Proxy | undefined;
  readonly #refresh: Proxy | undefined;

  constructor(proxies: Proxies) {
    this.#connect = proxies.only('connect');
    this.#refresh = proxies.only('refresh');
  }

  connect({ client, token, data, name, version, channels }: ConnectAttempt): Awaitable<ConnectDecision> {
    const proxy = this.#connect;
    if (proxy === undefined || token !== '') return abstained;
    const request = { ...proxy.client(client), ...proxy.data(data), name, version, channels };
    return proxy.ask('connect', request, client);
  }

  refresh(attempt: RefreshAttempt): Awaitable<RefreshDecision> {
    const proxy = this.#refresh;
    if (proxy === undefined || attempt.token !== '') return abstained;
    return proxy.ask('refresh', proxy.identity(attempt), attempt.client);
  }
}
