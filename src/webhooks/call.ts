import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { JoinedChunks } from '../bytes/index.js';
import { after, backoffMs, jittered } from '../async/index.js';
import { failureOf, isUnsent } from './call-failure.js';
import type { QueuedCall } from './call-queue.js';
import { WebhookResponseTooLargeError, WebhookTimeoutError, type WebhookError } from './webhooks.errors.js';
import type { TargetOptions } from './webhooks.options.js';

export interface WebhookResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** May be a view of a larger buffer: copy what you keep. */
  readonly body: Buffer;
}

/** What a call needs of its target. */
export interface CallHost {
  readonly options: Pick<
    TargetOptions,
    'timeoutMs' | 'connectTimeoutMs' | 'headersTimeoutMs' | 'bodyTimeoutMs' | 'maxResponseBytes'
  >;
  dispatch(
    handler: Dispatcher.DispatchHandler,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
  ): void;
  /** The call has ended, or will not run. */
  leave(call: Call): void;
  onRetry(): void;
}

/** The most attempts of a call that could not be sent. Further ones would not be in time. */
const MAX_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 50;

type Phase = 'waiting' | 'headers' | 'body';

/**
 * One call: it waits for its turn and a connection, sends the request, and collects the response. It is repeated only if nothing of
 * it was sent. One timer limits it as a whole and in each phase; undici's own time-outs are precise only to a second.
 */
export class Call implements QueuedCall, Dispatcher.DispatchHandler {
  readonly #settled = Promise.withResolvers<WebhookResponse>();
  readonly #deadline: number;
  /** Whether the timer is not that of the whole call in every phase. */
  readonly #hasPhaseLimits: boolean;
  #timer: NodeJS.Timeout;
  /** Of the current attempt. Undefined until it has a connection. */
  #controller: Dispatcher.DispatchController | undefined;
  #attempts = 0;
  #isOver = false;
  #phase: Phase = 'waiting';
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #body: JoinedChunks;

  constructor(
    private readonly host: CallHost,
    private readonly body: Buffer,
    private readonly requestHeaders: Readonly<Record<string, string>>,
  ) {
    const { timeoutMs, connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, maxResponseBytes } = host.options;
    this.#hasPhaseLimits = [connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs].some((ms) => ms !== undefined);
    this.#body = new JoinedChunks(maxResponseBytes);
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = this.#startTimer(Math.min(timeoutMs, connectTimeoutMs ?? timeoutMs));
  }

  get response(): Promise<WebhookResponse> {
    return this.#settled.promise;
  }

  get size(): number {
    return this.body.length;
  }

  run(): void {
    if (this.#isOver) return;
    this.#attempts++;
    this.host.dispatch(this, this.body, this.requestHeaders);
  }

  /** Ends it without a response. */
  fail(error: WebhookError): void {
    if (this.#isOver) return;
    this.#end();
    this.#controller?.abort(error);
    this.#settled.reject(error);
  }

  /** It has a connection, and is sent now. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('the call has ended'));
    else this.#enter('headers', this.host.options.headersTimeoutMs);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(headers['content-length'] ?? 0) > this.host.options.maxResponseBytes) this.#failTooLarge();
    else this.#enter('body', this.host.options.bodyTimeoutMs);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body.length + chunk.length > this.host.options.maxResponseBytes) this.#failTooLarge();
    else this.#body.add(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#end();
    const body = this.#body.toBuffer();
    this.#settled.resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    const hasConnection = this.#controller !== undefined;
    // Who answers has received something.
    const isRepeatable = this.#status === 0 && isUnsent(error, hasConnection);
    if (isRepeatable && this.#attempts < MAX_ATTEMPTS && this.#retry()) return;
    this.fail(failureOf(error, hasConnection));
  }

  /** Returns false if there is no time for another attempt. */
  #retry(): boolean {
    const pauseMs = jittered(backoffMs(this.#attempts, FIRST_PAUSE_MS, 1_000), 0.5);
    if (performance.now() + pauseMs >= this.#deadline) return false;
    this.#controller = undefined;
    this.#enter('waiting', this.host.options.connectTimeoutMs);
    after('retry of a webhook call', pauseMs, () => {
      if (this.#isOver) return;
      this.host.onRetry();
      this.run();
    });
    return true;
  }

  #enter(phase: Phase, timeoutMs: number | undefined): void {
    this.#phase = phase;
    if (!this.#hasPhaseLimits) return;
    clearTimeout(this.#timer);
    const leftMs = this.#deadline - performance.now();
    this.#timer = this.#startTimer(Math.max(1, Math.min(leftMs, timeoutMs ?? leftMs)));
  }

  #startTimer(ms: number): NodeJS.Timeout {
    return setTimeout(onTimeout, ms, this);
  }

  onTimeout(): void {
    this.fail(new WebhookTimeoutError(lateBy[this.#phase]));
  }

  #failTooLarge(): void {
    const { maxResponseBytes } = this.host.options;
    this.fail(new WebhookResponseTooLargeError(`the response has more than ${maxResponseBytes} bytes`));
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.host.leave(this);
  }
}

const lateBy: Readonly<Record<Phase, string>> = {
  waiting: 'no connection to the backend in time',
  headers: 'the backend did not answer in time',
  body: 'the response did not end in time',
};

function onTimeout(call: Call): void {
  call.onTimeout();
}
