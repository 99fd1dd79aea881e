import { Injectable, Logger } from '@nestjs/common';
import { CarillonError } from '../../errors.js';
import { PresenceTooLargeError } from '../../delivery/index.js';
import { HttpErrors, HttpMetrics, TooManyListsError, type HttpErrorCode } from '../../http/index.js';
import { InvalidDisconnectError, TooManyChannelsError } from '../operations/operations.errors.js';
import { PatternTooLongError } from '../../patterns/index.js';
import { TriggerMetrics } from '../trigger.metrics.js';
import { ApiRefusal, apiFaults, faultByCode, type ApiFault } from './api.errors.js';
import type { Command } from './command.js';

export type Outcome = { readonly result: string } | { readonly fault: ApiFault };

/** Runs commands and makes replies of their results and errors. */
@Injectable()
export class Replies {
  readonly #logger = new Logger('Api');

  constructor(
    private readonly metrics: TriggerMetrics,
    private readonly httpMetrics: HttpMetrics,
    private readonly httpErrors: HttpErrors,
  ) {}

  /** Never rejects. */
  async settle({ method, run, textOf }: Command, traceparent: string | undefined): Promise<Outcome> {
    try {
      const result = textOf(await run(traceparent));
      this.metrics.countCommand(method, 0);
      return { result };
    } catch (error) {
      const fault = this.faultOf(error, method);
      this.metrics.countCommand(method, fault.code);
      return { fault };
    }
  }

  /** Counts a request that contained no command. */
  countRefusal(code: HttpErrorCode): void {
    this.httpMetrics.countError(code);
  }

  /** An error that the caller can correct is a bad request with its message. Others are internal errors, and are logged. */
  faultOf(error: unknown, method: string): ApiFault {
    if (error instanceof ApiRefusal) return error.fault;
    const known = error instanceof CarillonError ? faultByCode[error.code] : undefined;
    if (known !== undefined) return known;
    if (error instanceof TooManyListsError) return { ...apiFaults.tooManyRequests, message: error.message };
    if (error instanceof InvalidDisconnectError) return { ...apiFaults.badRequest, message: error.message };
    if (
      error instanceof PresenceTooLargeError ||
      error instanceof TooManyChannelsError ||
      error instanceof PatternTooLongError
    )
      return { ...apiFaults.limitExceeded, message: error.message };
    const { status, message } = this.httpErrors.toHttpError(error);
    if (status < 500) return { ...apiFaults.badRequest, message };
    const what = `${method}: ${String(error)}`;
    if (!(error instanceof CarillonError && error.retryable)) {
      this.#logger.error(what, error instanceof Error ? error.stack : undefined);
      return apiFaults.internal;
    }
    this.#logger.warn(what);
    return { ...apiFaults.internal, message };
  }
}

/** Returns `{"result":…}` or `{"error":…}`, after the id if there is one. */
export function replyText(outcome: Outcome, id = 0): string {
  const prefix = id === 0 ? '{' : `{"id":${id},`;
  return 'result' in outcome
    ? `${prefix}"result":${outcome.result}}`
    : `${prefix}"error":${faultText(outcome.fault)}}`;
}

export function faultText({ code, message }: ApiFault): string {
  return JSON.stringify({ code, message });
}
