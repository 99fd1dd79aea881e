import { Inject, Injectable } from '@nestjs/common';
import { withDeadline } from '../async/index.js';
import { BrokerUnavailableError, Events, type OutgoingEvent } from '../bus/index.js';
import {
  AuthorizerChain,
  proxyRequestSchemas,
  type ClientContext,
  type DecisionOf,
  type ProxyClient,
  type ProxyRequests,
  type Step,
} from '../gateway/index.js';
import { JsonScanner, MalformedJsonError } from '../json/index.js';
import { InvalidJsonError } from '../http/index.js';
import { readMessage } from '../schema/index.js';
import { answerText, errorText } from './callback-answers.js';
import { eventOf } from './callback-events.js';
import { CallbackRefusedError } from './callback-refused.error.js';
import { CallbackRules } from './callback-rules.js';
import { attemptOf } from './callback-steps.js';
import { CallbackMetrics } from './callbacks.metrics.js';
import { CALLBACKS_OPTIONS } from './callbacks.module-definition.js';
import type { CallbacksOptions } from './callbacks.options.js';

/** What the HTTP request of a callback says about the client, beside its body. */
export type CallbackOrigin = Pick<ClientContext, 'address' | 'userAgent' | 'headers'>;

/** One scanner serves all requests, because reading is synchronous. */
const scanner = new JsonScanner();

/**
 * Decides for a Centrifugo what its clients may do. An event about what was allowed is published before the answer, so that every
 * client that is told yes has its event; a client whose answer was lost may have two.
 */
@Injectable()
export class CallbackService {
  constructor(
    private readonly authorizer: AuthorizerChain,
    private readonly rules: CallbackRules,
    private readonly events: Events,
    private readonly metrics: CallbackMetrics,
    @Inject(CALLBACKS_OPTIONS) private readonly options: CallbacksOptions,
  ) {}

  /**
   * Returns the answer to a callback, as JSON text.
   * @throws InvalidJsonError, BrokerUnavailableError
   */
  async answer(step: Step, body: Buffer, origin: CallbackOrigin): Promise<string> {
    const request = readRequest(step, body);
    const { answerTimeoutMs } = this.options;
    const onLate = () => new BrokerUnavailableError('callbacks', `no decision within ${answerTimeoutMs} ms`);
    try {
      const decision = await withDeadline(answerTimeoutMs, onLate, () => this.#decide(step, request, origin));
      this.metrics.count(step, decision.outcome === 'allowed' ? 'allowed' : 'refused');
      return answerText(step, decision);
    } catch (error) {
      if (!(error instanceof CallbackRefusedError)) {
        this.metrics.count(step, 'failed');
        throw error;
      }
      this.metrics.count(step, 'refused');
      return errorText(error.answer);
    }
  }

  async #decide<S extends Step>(
    step: S,
    request: ProxyRequests[S],
    origin: CallbackOrigin,
  ): Promise<DecisionOf<S>> {
    const attempt = attemptOf[step](request, contextOf(request, origin), this.rules);
    const decision = await this.authorizer.ask(step, attempt);
    if (decision.outcome === 'allowed') {
      const event = eventOf[step]?.(request, decision);
      if (event !== undefined) await this.#publish(event);
    }
    return decision;
  }

  async #publish(event: OutgoingEvent): Promise<void> {
    const { topic, driver } = this.options;
    await this.events.emit(topic, event, driver === undefined ? {} : { driver });
  }
}

function readRequest<S extends Step>(step: S, body: Buffer): ProxyRequests[S] {
  try {
    scanner.start(body);
    const request = readMessage(scanner, proxyRequestSchemas[step]);
    scanner.finish();
    return request;
  } catch (cause) {
    if (cause instanceof MalformedJsonError)
      throw new InvalidJsonError(`the body is not a callback of Centrifugo: ${cause.message}`, { cause });
    throw cause;
  }
}

function contextOf({ client, transport, protocol }: ProxyClient, origin: CallbackOrigin): ClientContext {
  const centrifugo = { protocol: 'centrifugo', encoding: protocol, transport };
  return { connectionId: client, ...centrifugo, ...origin, query: '', params: {} };
}
