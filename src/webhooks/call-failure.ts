import {
  WebhookError,
  WebhookInterruptedError,
  WebhookResponseMalformedError,
  WebhookUnreachableError,
} from './webhooks.errors.js';

interface SystemError extends Error {
  readonly code?: string;
  readonly syscall?: string;
}

/** Failures to connect that may be over in a moment. A bad certificate is not. */
const TRANSIENT = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'UND_ERR_SOCKET']);

/**
 * Whether certainly nothing reached the backend and another attempt may succeed.
 *
 * A kept-alive connection that the backend has closed shows in one of three ways. undici has seen the end before it writes: it takes
 * another connection itself. The system refuses the write: nothing was sent. Or the end is read after the write: then the backend may
 * have executed the request, so that it is not repeated.
 * @param hasConnection whether the request was given to a connection
 */
export function isUnsent({ code = '', syscall }: SystemError, hasConnection: boolean): boolean {
  if (!hasConnection) return TRANSIENT.has(code);
  return syscall === 'write' && (code === 'EPIPE' || code === 'ECONNRESET');
}

/** Returns the error for the caller. */
export function failureOf(error: SystemError, hasConnection: boolean): WebhookError {
  if (error instanceof WebhookError) return error;
  const reason = error.message === '' ? (error.code ?? error.name) : error.message;
  if (!hasConnection)
    return new WebhookUnreachableError(`no connection to the backend: ${reason}`, { cause: error });
  if (isMalformed(error))
    return new WebhookResponseMalformedError(`the response is not HTTP: ${reason}`, { cause: error });
  return new WebhookInterruptedError(`the connection ended before the response was complete: ${reason}`, {
    cause: error,
  });
}

/** The code of a parser error may be missing. */
function isMalformed({ code, name }: SystemError): boolean {
  return name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW';
}
