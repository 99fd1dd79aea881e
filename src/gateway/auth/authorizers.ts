import { Inject, Injectable } from '@nestjs/common';
import { GatewayMetrics } from '../gateway.metrics.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import type { ClientContext } from './attempts.js';
import { APPLICATION_AUTHORIZERS, type ApplicationAuthorizers } from './application-authorizers.js';
import { AuthorizerChain } from './authorizer-chain.js';
import type { Authorizer } from './authorizer.port.js';
import { reportRefusals } from './refused-attempts.js';
import { fullContext, minimalContext, type DescribedHandshake } from './client-context.js';

/** Composes the chain of a protocol: first the authorizers of the application, then those of the protocol. */
@Injectable()
export class Authorizers {
  readonly #timeoutMs: number;

  constructor(
    @Inject(APPLICATION_AUTHORIZERS) private readonly application: ApplicationAuthorizers,
    @Inject(GATEWAY_MODULE_OPTIONS) { authorizerTimeoutMs }: GatewayModuleOptions,
    private readonly metrics: GatewayMetrics,
  ) {
    this.#timeoutMs = authorizerTimeoutMs;
  }

  /**
   * Whether anything reads the context and the meta of a client after its connect. The default authorizers do not, so that a
   * connection need not keep them.
   */
  get readsContext(): boolean {
    return this.application.authorizers.length > 0;
  }

  /**
   * Describes a client for the attempts of its connection.
   * @param encoding of its protocol; empty if that has only one
   * @param isRead whether the protocol's own authorizers read it
   */
  contextOf(handshake: DescribedHandshake, encoding: string, isRead = false): ClientContext {
    return this.readsContext || isRead
      ? fullContext(handshake, encoding)
      : minimalContext(handshake, encoding);
  }

  /** @param defaults what decides if the application has no authorizer, or all of its authorizers abstain */
  chain(...defaults: readonly Authorizer[]): AuthorizerChain {
    return AuthorizerChain.compose(this.application, defaults, this.#timeoutMs, reportRefusals(this.metrics));
  }
}
