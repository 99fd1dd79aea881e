import { Logger } from '@nestjs/common';
import type { Dispatcher, Pool } from 'undici';
import { RepeatedWarning } from '../limits/index.js';
import { newMessageId } from '../message/index.js';
import { splitUserInfo } from '../urls/index.js';
import type { TargetTrust } from './address-guard.js';
import { Breaker } from './breaker.js';
import { CallQueue } from './call-queue.js';
import { Call, type CallHost, type WebhookResponse } from './call.js';
import type { OutgoingConnections } from './connections.js';
import { Signer } from './signature.js';
import { WebhookError, WebhookSuspendedError, WebhooksClosedError } from './webhooks.errors.js';
import type { TargetMetrics } from './webhooks.metrics.js';
import type { TargetOptions, WebhooksOptions } from './webhooks.options.js';

export interface TargetDefinition {
  /** The label in metrics and logs. From the configuration, so that there are few. */
  readonly name: string;
  /** `http:` or `https:`. A user name and password in it become Basic authentication. */
  readonly url: string;
  readonly trust: TargetTrust;
  readonly options: TargetOptions;
}

/** What the targets of a process share. */
export interface TargetHost {
  readonly options: WebhooksOptions;
  readonly connections: OutgoingConnections;
  readonly metrics: TargetMetrics;
}

export type RequestHeaders = Readonly<Record<string, string>>;

const logger = new Logger('Webhooks');

/**
 * One address of a backend. A call either gets the whole response, whatever its status, or fails with a {@link WebhookError}.
 *
 * - Redirects are not followed: they are responses.
 * - A call is repeated only if nothing of it was sent.
 * - A target has its own connections, so that a slow one does not hold back the others.
 */
export class WebhookTarget implements CallHost {
  readonly options: TargetOptions;
  readonly #path: string;
  readonly #authorization: string | undefined;
  readonly #pool: Pool;
  readonly #queue: CallQueue;
  readonly #breaker: Breaker;
  readonly #signer: Signer | undefined;
  readonly #calls = new Set<Call>();
  readonly #failures = new RepeatedWarning(logger);
  #isClosed = false;

  constructor(
    private readonly definition: TargetDefinition,
    private readonly host: TargetHost,
  ) {
    const { options, trust } = definition;
    const { breaker, ...limits } = host.options;
    const { url, authorization } = splitUserInfo(definition.url);
    const { origin, pathname, search } = new URL(url);
    this.options = options;
    this.#path = pathname + search;
    this.#authorization = authorization;
    this.#pool = host.connections.pool({
      origin,
      trust,
      connections: limits.maxConnectionsPerTarget,
      connectTimeoutMs: options.connectTimeoutMs ?? options.timeoutMs,
      tls: options.tls,
    });
    this.#queue = new CallQueue({
      running: limits.maxConnectionsPerTarget,
      waiting: limits.maxWaitingPerTarget,
      bytes: limits.maxPendingBytesPerTarget,
    });
    this.#breaker = new Breaker(breaker, (isSuspended, cause) => this.#onSuspended(isSuspended, cause));
    this.#signer = options.signingSecrets.length === 0 ? undefined : new Signer(options.signingSecrets);
  }

  get name(): string {
    return this.definition.name;
  }

  /**
   * Makes a POST request.
   * @param body not changed until the call has ended
   * @throws WebhookError
   */
  async post(body: Buffer, headers: RequestHeaders): Promise<WebhookResponse> {
    const refusal = this.#isClosed ? closed() : this.#queue.refusalOf(body.length);
    if (refusal !== undefined) {
      this.host.metrics.refused(refusal.result);
      throw this.#logged(refusal);
    }
    try {
      return await this.#breaker.run(() => this.#call(body, headers));
    } catch (error) {
      if (error instanceof WebhookSuspendedError) this.host.metrics.refused(error.result);
      throw this.#logged(error);
    }
  }

  /** Fails the calls that are running. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#calls) call.fail(closed());
    await this.#pool.destroy();
  }

  dispatch(handler: Dispatcher.DispatchHandler, body: Buffer, headers: RequestHeaders): void {
    this.#pool.dispatch({ method: 'POST', path: this.#path, headers, body }, handler);
  }

  leave(call: Call): void {
    this.#calls.delete(call);
    this.#queue.leave(call);
  }

  onRetry(): void {
    this.host.metrics.retried();
  }

  async #call(body: Buffer, headers: RequestHeaders): Promise<WebhookResponse> {
    const startedAt = performance.now();
    const { metrics } = this.host;
    const call = new Call(this, body, this.#withOwnHeaders(body, headers));
    metrics.started();
    let result: WebhookError['result'] = 'closed';
    try {
      this.#calls.add(call);
      this.#queue.enter(call);
      const response = await call.response;
      result = response.status >= 200 && response.status < 300 ? 'ok' : 'status';
      return response;
    } catch (error) {
      if (error instanceof WebhookError) ({ result } = error);
      throw error;
    } finally {
      metrics.ended(result, (performance.now() - startedAt) / 1_000);
    }
  }

  #withOwnHeaders(body: Buffer, headers: RequestHeaders): RequestHeaders {
    if (this.#authorization === undefined && this.#signer === undefined) return headers;
    return {
      ...(this.#authorization !== undefined && { authorization: this.#authorization }),
      ...headers,
      ...this.#signer?.sign(newMessageId(), Math.floor(Date.now() / 1_000), body),
    };
  }

  /** A suspension is logged once, and not for every call. */
  #logged(error: unknown): unknown {
    const isExpected = error instanceof WebhookSuspendedError || error instanceof WebhooksClosedError;
    if (error instanceof WebhookError && !isExpected)
      this.#failures.warn(`the call to ${this.name} failed: ${error.code}: ${error.message}`);
    return error;
  }

  #onSuspended(isSuspended: boolean, cause: string): void {
    this.host.metrics.suspended(isSuspended);
    const { openMs } = this.host.options.breaker;
    if (isSuspended)
      logger.error(`${this.name} is suspended for ${openMs} ms, because too many calls failed: ${cause}`);
    else logger.log(`${this.name} is no longer suspended`);
  }
}

function closed(): WebhooksClosedError {
  return new WebhooksClosedError('the process is shutting down');
}
