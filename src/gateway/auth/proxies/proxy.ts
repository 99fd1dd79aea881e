import { Logger } from '@nestjs/common';
import { CarillonError } from '../../../errors.js';
import { RepeatedWarning } from '../../../limits/index.js';
import { WebhookError } from '../../../webhooks/index.js';
import type { ClientContext, Step } from '../attempts.js';
import { refused, type DecisionOf } from '../decisions.js';
import type { ProxyBackend } from './proxy-backend.js';
import type { ProxyClient, ProxyRequests, WithData } from './proxy-requests.js';
import { decisionOnResult } from './proxy-results.js';
import type { ProxyOptions } from './proxies.options.js';

const logger = new Logger('Proxies');

const NO_DATA: WithData = { data: undefined, b64data: '' };

/** A configured proxy: asks its backend, and turns the answer into a decision. */
export class Proxy {
  readonly #failures = new RepeatedWarning(logger);

  /** @param name for logs */
  constructor(
    private readonly name: string,
    private readonly options: ProxyOptions,
    private readonly backend: ProxyBackend,
  ) {}

  /** The part of a request that is the same for every step. */
  client({ connectionId, transport, encoding }: ClientContext): ProxyClient {
    return {
      client: connectionId,
      transport,
      protocol: encoding,
      encoding: this.options.binaryEncoding ? 'binary' : 'json',
    };
  }

  identity({ client, user, meta }: { client: ClientContext; user: string; meta: Buffer | undefined }) {
    return { ...this.client(client), user, meta: this.options.includeConnectionMeta ? meta : undefined };
  }

  data(data: Buffer | undefined): WithData {
    if (data === undefined) return NO_DATA;
    return this.options.binaryEncoding
      ? { data: undefined, b64data: data.toString('base64') }
      : { data, b64data: '' };
  }

  async ask<S extends Step>(
    step: S,
    request: ProxyRequests[S],
    client: ClientContext,
  ): Promise<DecisionOf<S>> {
    try {
      const { disconnect, error, result } = await this.backend.call(step, request, client);
      if (disconnect !== undefined) return { outcome: 'disconnect', ...disconnect };
      // Code 0 is no error of the protocol.
      if (error !== undefined) return { outcome: 'error', ...error, code: error.code || INTERNAL_ERROR };
      return decisionOnResult[step](result);
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      // Those of calls are logged already.
      if (!(error instanceof WebhookError))
        this.#failures.warn(`proxy ${this.name}: ${step} failed: ${error.message}`);
      return refused('unavailable', error.message);
    }
  }
}

const INTERNAL_ERROR = 100;
