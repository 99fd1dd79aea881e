import { Injectable, Logger } from '@nestjs/common';
import { CarillonError } from '../../errors.js';
import { UnrecoverablePositionError } from '../../delivery/index.js';
import { HttpErrors, HttpMetrics, type HttpErrorCode } from '../../http/index.js';
import { TriggerMetrics } from '../trigger.metrics.js';
import { ApiRefusal, apiFaults, type ApiFault } from './api.errors.js';
import type { Command, CommandContext } from './command.js';

export type Outcome = { readonly result: string } | { readonly fault: ApiFault };

/** Carries commands out and words what became of them. */
@Injectable()
export class Replies {
  readonly #logger = new Logger('Api');

  constructor(
    private readonly metrics: TriggerMetrics,
    private readonly httpMetrics: HttpMetrics,
    private readonly httpErrors: HttpErrors,
  ) {}

  contextFor(traceparent: string | undefined): CommandContext {
    return new Context(this, traceparent);
  }

  /** Never rejects. */
  async settle({ method, run }: Command, context: CommandContext): Promise<Outcome> {
    try {
      const result = await run(context);
      this.metrics.countCommand(method, 0);
      return { result };
    } catch (error) {
      const fault = this.faultOf(error, method);
      this.metrics.countCommand(method, fault.code);
      return { fault };
    }
  }

  /** Of a request that came to no command. */
  countRefusal(code: HttpErrorCode): void {
    this.httpMetrics.countError(code);
  }

  /** What the caller can mend is a bad request, in words; what it cannot is an internal error, of which the log says more. */
  faultOf(error: unknown, method: string): ApiFault {
    if (error instanceof ApiRefusal) return error.fault;
    if (error instanceof UnrecoverablePositionError) return apiFaults.unrecoverablePosition;
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

class Context implements CommandContext {
  constructor(
    private readonly replies: Replies,
    readonly traceparent: string | undefined,
  ) {}

  async reply(method: string, run: () => Promise<string> | string): Promise<string> {
    try {
      return replyText({ result: await run() });
    } catch (error) {
      return replyText({ fault: this.replies.faultOf(error, method) });
    }
  }
}

/** `{"result":…}` or `{"error":…}`, behind the id where there is one. */
export function replyText(outcome: Outcome, id = 0): string {
  const prefix = id === 0 ? '{' : `{"id":${id},`;
  return 'result' in outcome
    ? `${prefix}"result":${outcome.result}}`
    : `${prefix}"error":${faultText(outcome.fault)}}`;
}

export function faultText({ code, message }: ApiFault): string {
  return JSON.stringify({ code, message });
}
