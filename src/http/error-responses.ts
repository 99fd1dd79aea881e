import { HttpException, Injectable } from '@nestjs/common';
import { CarillonError } from '../errors.js';
import {
  httpErrorTable,
  RateLimitedError,
  MethodNotAllowedError,
  type HttpErrorCode,
  type HttpErrorRule,
  type HttpErrorTable,
} from './http.errors.js';
import type { ErrorAnswer } from './http.schemas.js';

/** An error in the form in which a response reports it. */
export interface HttpError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Fastify and Nest refuse requests with a status only. Statuses that are not listed become 400. */
const codeByStatus: Readonly<Record<number, HttpErrorCode>> = {
  404: 'not_found',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  426: 'upgrade_required',
  431: 'headers_too_large',
};

/** The codes that responses may carry: those of the HTTP server, and those that modules register. */
@Injectable()
export class HttpErrors {
  readonly #rules = new Map<string, number | HttpErrorRule>();

  constructor() {
    this.register(httpErrorTable);
  }

  /** @throws Error if a code is registered already: a code has one status */
  register(table: HttpErrorTable): void {
    for (const [code, rule] of Object.entries(table)) {
      if (this.#rules.has(code)) throw new Error(`the error code ${code} is registered twice`);
      this.#rules.set(code, rule);
    }
  }

  /** An error without a registered code is reported as `internal_error`. */
  toHttpError(error: unknown): HttpError {
    const rule = error instanceof CarillonError ? this.#rules.get(error.code) : undefined;
    if (error instanceof CarillonError && rule !== undefined)
      return withRule(rule, error.code, error.message, headersOf(error));
    if (error instanceof HttpException && error.getStatus() < 500)
      return httpError(codeByStatus[error.getStatus()] ?? 'malformed_request', error.message);
    return httpError('internal_error', '');
  }
}

/** Creates an error of the HTTP server itself. */
export function httpError(code: HttpErrorCode, message: string): HttpError {
  return withRule(httpErrorTable[code], code, message);
}

export function bodyOf({ code, message }: HttpError): ErrorAnswer {
  return { error: { code, message } };
}

function withRule(
  rule: number | HttpErrorRule,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpError {
  if (typeof rule === 'number') return { status: rule, code, message, headers };
  return {
    status: rule.status,
    code,
    message: rule.message ?? message,
    headers: { ...rule.headers, ...headers },
  };
}

function headersOf(error: CarillonError): Readonly<Record<string, string>> | undefined {
  return error instanceof RateLimitedError || error instanceof MethodNotAllowedError
    ? error.headers
    : undefined;
}
