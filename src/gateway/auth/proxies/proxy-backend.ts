import type { ClientContext, Step } from '../attempts.js';
import type { ProxyRequests } from './proxy-requests.js';
import type { ProxyResponse } from './proxy-responses.js';

/**
 * Asks the backend of one proxy.
 *
 * - It resolves with what the backend decided, also if that is an error.
 * - It rejects with a `CarillonError` if the backend gave no valid answer.
 * - It limits its own time.
 */
export abstract class ProxyBackend {
  abstract call<S extends Step>(
    step: S,
    request: ProxyRequests[S],
    client: ClientContext,
  ): Promise<ProxyResponse<S>>;
}
