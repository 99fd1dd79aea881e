import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { newConnectionId } from '../../delivery/index.js';
import { clientIdentity, trustedProxies, type TrustedProxies } from '../../http/index.js';
import { RateLimit } from '../../limits/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import { Handshake } from './handshake.js';
import { Origins } from './origin.js';
import { refusals, type Refusal } from './refusals.js';

/** Decides who may connect, and counts who does: from the admission of a handshake until the socket is gone. */
@Injectable()
export class ConnectionAdmission {
  readonly #limits: GatewayModuleOptions['limits'];
  readonly #trusted: TrustedProxies;
  readonly #origins: Origins;
  readonly #handshakeRate: RateLimit;
  readonly #byNetwork = new Map<string, number>();
  #inside = 0;
  #handshakeState = 0;
  #isShut = false;

  constructor(@Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions) {
    this.#limits = options.limits;
    this.#trusted = trustedProxies(options.trustedProxies);
    this.#origins = new Origins(options.allowedOrigins);
    this.#handshakeRate = new RateLimit(options.limits.handshakes);
  }

  /** Nobody is admitted any more. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** An admitted handshake is counted until {@link leave}. */
  admit(request: IncomingMessage): Handshake | Refusal {
    if (this.#isShut) return refusals.shuttingDown;
    const { origin, host } = request.headers;
    if (!this.#origins.allow(origin, host)) return refusals.forbiddenOrigin;
    if (this.#inside >= this.#limits.connections) return refusals.serverFull;
    const identity = clientIdentity(request, this.#trusted);
    const handshake = new Handshake(newConnectionId(), identity, request);
    const ofNetwork = this.#byNetwork.get(handshake.network) ?? 0;
    if (ofNetwork >= this.#limits.connectionsPerAddress) return refusals.addressFull;
    const state = this.#handshakeRate.next(this.#handshakeState, performance.now());
    if (state === undefined) return refusals.tooFast;
    this.#handshakeState = state;
    this.#inside++;
    this.#byNetwork.set(handshake.network, ofNetwork + 1);
    return handshake;
  }

  leave(network: string): void {
    this.#inside--;
    const left = (this.#byNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }

  shut(): void {
    this.#isShut = true;
  }
}
