import { Injectable, Logger } from '@nestjs/common';
import { CarillonError } from '../../errors.js';
import { UnrecoverablePositionError } from '../../delivery/index.js';
import { toHttpError } from '../http-error.js';
import { TriggerMetrics } from '../trigger.metrics.js';
import { ApiRefusal, apiFaults, type ApiFault } from './api.errors.js';
import type { Command, CommandContext } from './command.js';

export type Outcome = { readonly result: string } | { readonly fault: ApiFault };

/** Carries commands out and words what became of them. */
@Injectable()
export class Replies {
  readonly #logger = new Logger('Api');

  constructor(private readonly metrics: TriggerMetrics) {}

  contextFor(traceparent: string | undefined): CommandContext {
    return { traceparent, reply: async (run) => replyText(await this.#settle('broadcast', run)) };
  }

  /** Never rejects. */
  async settle(command: Command, context: CommandContext): Promise<Outcome> {
    const outcome = await this.#settle(command.method, () => command.run(context));
    this.metrics.countCommand(command.method, 'fault' in outcome ? outcome.fault.code : 0);
    return outcome;
  }

  async #settle(method: string, run: () => Promise<string> | string): Promise<Outcome> {
    try {
      return { result: await run() };
    } catch (error) {
      return { fault: this.#faultOf(error, method) };
    }
  }

  /** What the caller can mend is a bad request, in words; what it cannot is an internal error, of which the log says more. */
  #faultOf(error: unknown, method: string): ApiFault {
    if (error instanceof ApiRefusal) return error.fault;
    if (error instanceof UnrecoverablePositionError) return apiFaults.unrecoverablePosition;
    const { status, message } = toHttpError(error);
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
