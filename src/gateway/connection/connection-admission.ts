import { Inject, Injectable, Logger } from '@nestjs/common';
import { newConnectionId } from '../../delivery/index.js';
import {
  clientIdentity,
  clientScheme,
  networkOf,
  trustedProxies,
  UntrustedProxies,
  type TrustedProxies,
} from '../../http/index.js';
import { HeaderForwarding } from '../auth/forwarded-headers.js';
import { KeyedRateLimit, RateLimit } from '../../limits/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import { Handshake, type ConnectionProtocol, type Endpoint, type HandshakeRequest } from './handshake.js';
import { Origins } from './origin.js';
import { refusals, type Refusal } from './refusals.js';

/** Decides which clients may connect, and counts them from the admission of the handshake until the connection is gone. */
@Injectable()
export class ConnectionAdmission {
  readonly #limits: GatewayModuleOptions['limits'];
  readonly #trusted: TrustedProxies;
  readonly #untrustedProxies: UntrustedProxies;
  readonly #origins: Origins;
  readonly #headerForwarding = new Map<ConnectionProtocol, HeaderForwarding>();
  readonly #addressRate: KeyedRateLimit;
  readonly #handshakeRate: RateLimit;
  readonly #admittedByNetwork = new Map<string, number>();
  #admitted = 0;
  #handshakeState = 0;
  #isShut = false;

  constructor(@Inject(GATEWAY_MODULE_OPTIONS) private readonly options: GatewayModuleOptions) {
    this.#limits = options.limits;
    this.#trusted = trustedProxies(options.trustedProxies);
    this.#untrustedProxies = new UntrustedProxies(
      this.#trusted,
      options.allowUntrustedProxies ?? false,
      new Logger('Gateway'),
    );
    this.#origins = new Origins(options.allowedOrigins);
    this.#addressRate = new KeyedRateLimit(options.limits.handshakesPerAddress);
    this.#handshakeRate = new RateLimit(options.limits.handshakes);
  }

  /** Whether the process stops: every handshake is refused. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /**
   * The rates are charged last, so that handshakes that are refused anyway do not use them up, and that of the address before that of
   * the process, so that one address cannot use it up for all others.
   *
   * Returns the handshake, which counts as a connection until {@link leave}, or why it is refused.
   */
  admit(request: HandshakeRequest, endpoint: Endpoint): Handshake | Refusal {
    if (this.#isShut) return refusals.shuttingDown;
    const { origin, host } = request.headers;
    if (!this.#origins.allow(origin, host, clientScheme(request, this.#trusted)))
      return refusals.forbiddenOrigin;
    if (this.#admitted >= this.#limits.connections) return refusals.serverFull;
    const identity = clientIdentity(request, this.#trusted);
    const network = networkOf(identity.address);
    const fromNetwork = this.#admittedByNetwork.get(network) ?? 0;
    if (fromNetwork >= this.#limits.connectionsPerAddress) {
      this.#untrustedProxies.onLimited(request, 'gateway.limits.connectionsPerAddress');
      return refusals.addressFull;
    }
    const forwardedHeaders = this.#forwardingFor(endpoint.protocol).of(request.headers);
    if (forwardedHeaders === undefined) return refusals.headersTooLarge;
    if (this.#addressRate.take(network) > 0) {
      this.#untrustedProxies.onLimited(request, 'gateway.limits.handshakesPerAddress');
      return refusals.addressTooFast;
    }
    const state = this.#handshakeRate.next(this.#handshakeState, performance.now());
    if (state === undefined) return refusals.tooFast;
    this.#handshakeState = state;
    this.#admitted++;
    this.#admittedByNetwork.set(network, fromNetwork + 1);
    const isHidden = this.#untrustedProxies.hideSender(request);
    const client = { ...identity, isHidden, network, forwardedHeaders };
    return new Handshake(newConnectionId(), client, request, endpoint);
  }

  #forwardingFor(protocol: ConnectionProtocol): HeaderForwarding {
    const known = this.#headerForwarding.get(protocol);
    if (known !== undefined) return known;
    const { forwardedHeaders, forwardedHeadersMaxBytes } = this.options;
    const names = [...forwardedHeaders, ...(protocol.forwardedHeaders?.(this.options) ?? [])];
    const created = new HeaderForwarding(names, forwardedHeadersMaxBytes);
    this.#headerForwarding.set(protocol, created);
    return created;
  }

  leave(network: string): void {
    this.#admitted--;
    const left = (this.#admittedByNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#admittedByNetwork.set(network, left);
    else this.#admittedByNetwork.delete(network);
  }

  /** Refuses every handshake from here on. */
  shut(): void {
    this.#isShut = true;
  }
}
