import { CarillonError } from '../../../errors.js';

/** The backend of a proxy answered, but not with a decision. */
export class ProxyResponseError extends CarillonError {
  readonly code = 'proxy_response';
  override readonly retryable = true;
}

/** What should be sent to the backend of a proxy is not JSON, and the proxy has no binary encoding. */
export class ProxyRequestError extends CarillonError {
  readonly code = 'proxy_request';
}

/** Channels or methods use a proxy that the configuration does not have. Thrown at start-up. */
export class ProxyNotConfiguredError extends CarillonError {
  readonly code = 'proxy_not_configured';
}
