import { Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CarillonError } from '../../../../errors.js';
import { HttpErrors, HttpMetrics } from '../../../../http/index.js';
import { RepeatedWarning } from '../../../../limits/index.js';

interface Failure {
  readonly status: number;
  /** The name under which AWS's client libraries know the error. */
  readonly type: string;
}

const byCode: Readonly<Record<string, Failure>> = {
  connection_gone: { status: 410, type: 'GoneException' },
  invalid_connection_id: { status: 400, type: 'BadRequestException' },
  forbidden: { status: 403, type: 'ForbiddenException' },
  unauthorized: { status: 403, type: 'ForbiddenException' },
  api_key_not_configured: { status: 403, type: 'ForbiddenException' },
  rate_limited: { status: 429, type: 'LimitExceededException' },
  node_silent: { status: 503, type: 'ServiceUnavailableException' },
  broker_unavailable: { status: 503, type: 'ServiceUnavailableException' },
};
const byStatus: Readonly<Record<number, Failure & { readonly code: string }>> = {
  413: { status: 413, type: 'PayloadTooLargeException', code: 'body_too_large' },
};
const badRequest: Failure = { status: 400, type: 'BadRequestException' };
const internal: Failure = { status: 500, type: 'InternalServerErrorException' };

/** Responds to failed calls of the management API as AWS does: the type of the error is in a header, and its message in JSON. */
@Injectable()
export class ManagementFailures {
  readonly #warning = new RepeatedWarning(new Logger('Functions'));

  constructor(
    private readonly errors: HttpErrors,
    private readonly metrics: HttpMetrics,
  ) {}

  respond(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { status, type, code } = this.#failureOf(error);
    this.metrics.countError(code);
    if (status >= 500)
      this.#warning.warn(`responded ${status} to ${request.method} /@connections: ${String(error)}`);
    const message = status === 500 ? 'Internal server error' : messageOf(error);
    void reply
      .code(status)
      .headers({ ...this.errors.toHttpError(error).headers, 'x-amzn-ErrorType': type })
      .type('application/json')
      .send({ message, code });
  }

  #failureOf(error: unknown): Failure & { readonly code: string } {
    if (error instanceof CarillonError) {
      const known = byCode[error.code];
      if (known !== undefined) return { ...known, code: error.code };
    }
    const { statusCode = 500 } = error as { readonly statusCode?: number };
    const known = byStatus[statusCode];
    if (known !== undefined) return known;
    return statusCode < 500
      ? { ...badRequest, code: 'malformed_request' }
      : { ...internal, code: 'internal_error' };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
