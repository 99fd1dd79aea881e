import {
  circuitBreaker,
  CircuitState,
  handleWhen,
  SamplingBreaker,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { WebhookError, WebhookSuspendedError } from './webhooks.errors.js';
import type { WebhooksOptions } from './webhooks.options.js';

/** The results of calls that say that the backend is not there, in contrast to one that refuses or fails a call. */
const OUTAGES: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'interrupted', 'malformed']);

/** Called when the target is suspended (with the last failure) and when it is no longer. */
export type OnSuspended = (isSuspended: boolean, cause: string) => void;

/** Suspends a target while most calls to it fail, so that its clients are refused at once and it can recover. */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy;

  constructor(
    { failureShare, minimumCalls, windowMs, openMs }: WebhooksOptions['breaker'],
    onSuspended: OnSuspended,
  ) {
    this.#policy = circuitBreaker(handleWhen(isOutage).orWhenResult(isUnavailable), {
      halfOpenAfter: openMs,
      breaker: new SamplingBreaker({
        threshold: failureShare,
        duration: windowMs,
        minimumRps: (minimumCalls * 1_000) / windowMs,
      }),
    });
    this.#policy.onBreak((reason) => onSuspended(true, causeOf(reason)));
    this.#policy.onReset(() => onSuspended(false, ''));
  }

  /**
   * Resolves or rejects as `work` does.
   * @throws WebhookSuspendedError also as a rejection, without calling `work`
   */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    // The library would let other calls wait for the result of the one that tries the target.
    if (this.#policy.state === CircuitState.HalfOpen) throw suspended();
    let hasStarted = false;
    const result = this.#policy.execute(() => {
      hasStarted = true;
      return work();
    });
    return hasStarted ? result : result.catch(refuse);
  }
}

function refuse(): never {
  throw suspended();
}

function suspended(): WebhookSuspendedError {
  return new WebhookSuspendedError('too many calls failed: the next one is made in a moment');
}

function isOutage(error: unknown): boolean {
  return error instanceof WebhookError && OUTAGES.has(error.result);
}

/** Answers of gateways and load balancers in front of a backend that is not there. */
function isUnavailable(response: unknown): boolean {
  const { status } = response as { readonly status: number };
  return status >= 502 && status <= 504;
}

function causeOf(reason: object): string {
  if ('error' in reason) return (reason.error as Error).message;
  if ('value' in reason) return `status ${(reason.value as { readonly status: number }).status}`;
  return '';
}
