import { HttpException } from '@nestjs/common';
import { CarillonError } from '../errors.js';
import {
  MethodNotAllowedError,
  RateLimitedError,
  statusByCode,
  type HttpErrorCode,
} from '../trigger/trigger.errors.js';
import type { ErrorAnswer } from '../trigger/push/trigger.schemas.js';

/** An error as it goes out over HTTP. */
export interface HttpError {
  readonly status: number;
  readonly code: HttpErrorCode;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What Fastify and Nest refuse by themselves has a status and no code of ours. Other statuses become 400: a code has one status. */
const codeByStatus: Readonly<Record<number, HttpErrorCode>> = {
  404: 'not_found',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  426: 'upgrade_required',
  431: 'headers_too_large',
};

/** Where the cause is on our side, the log says more than the answer does. */
const discreetMessages: Readonly<Partial<Record<HttpErrorCode, string>>> = {
  broker_unavailable: 'a broker that this needs does not answer; try again',
  schedule_full: 'too many messages wait for their time already; try again later',
  bus_closed: 'the server is shutting down; try again',
  internal_error: 'something went wrong here',
};

export function toHttpError(error: unknown): HttpError {
  if (error instanceof CarillonError && isHttpErrorCode(error.code))
    return httpError(error.code, error.message, headersOf(error));
  if (error instanceof HttpException && error.getStatus() < 500)
    return httpError(codeByStatus[error.getStatus()] ?? 'malformed_request', error.message);
  return httpError('internal_error', '');
}

export function httpError(
  code: HttpErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpError {
  return { status: statusByCode[code], code, message: discreetMessages[code] ?? message, headers };
}

export function bodyOf({ code, message }: HttpError): ErrorAnswer {
  return { error: { code, message } };
}

function headersOf(error: CarillonError): Record<string, string> {
  if (error instanceof RateLimitedError)
    return { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1000)) };
  if (error instanceof MethodNotAllowedError) return { Allow: error.allowed.join(', ') };
  switch (error.code) {
    case 'broker_unavailable':
    case 'bus_closed':
      return { 'Retry-After': '1' };
    case 'schedule_full':
      return { 'Retry-After': '60' };
    case 'unauthorized':
      return { 'WWW-Authenticate': 'Bearer' };
    default:
      return {};
  }
}

function isHttpErrorCode(code: string): code is HttpErrorCode {
  return Object.hasOwn(statusByCode, code);
}
