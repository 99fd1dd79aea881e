import type { Logger } from '@nestjs/common';
import { RepeatedWarning } from '../../limits/index.js';
import {
  clientAddress,
  isForwardedByStranger,
  type IdentifiedRequest,
  type TrustedProxies,
} from './client-identity.js';

/** Anyone can send the header, so it must not fill the log. */
const INTERVAL_MS = 60_000;

/**
 * Notices proxies and load balancers that are not configured. All their clients have the address of the proxy, so clients with the
 * same User-Agent would be one identity and receive each other's messages, and would share every limit per address.
 */
export class UntrustedProxies {
  readonly #found: RepeatedWarning;
  readonly #limited: RepeatedWarning;

  /** @param areAllowed whether their clients may share an identity */
  constructor(
    private readonly trusted: TrustedProxies,
    private readonly areAllowed: boolean,
    logger: Pick<Logger, 'warn'>,
  ) {
    this.#found = new RepeatedWarning(logger, INTERVAL_MS);
    this.#limited = new RepeatedWarning(logger, INTERVAL_MS);
  }

  /** Returns whether the identity of the sender may belong to several clients, and must not be used. Logs what to do about it. */
  hideSender(request: IdentifiedRequest): boolean {
    if (this.areAllowed || !isForwardedByStranger(request, this.trusted)) return false;
    this.#found.warn(
      `${this.#describe(request)}: raw sockets, and pushes of callers to themselves, are refused with untrusted_proxy, because its ` +
        `clients could receive the messages of each other. ${this.#advise(request)}`,
    );
    return true;
  }

  /** Logs that a limit per address was reached, if the address is that of a proxy. */
  onLimited(request: IdentifiedRequest, setting: string): void {
    if (!isForwardedByStranger(request, this.trusted)) return;
    this.#limited.warn(
      `${this.#describe(request)}: all its clients share one ${setting}, which refuses some of them now. ` +
        this.#advise(request),
    );
  }

  #advise({ headers }: IdentifiedRequest): string {
    return headers['x-forwarded-for'] === undefined
      ? 'If it is your proxy or load balancer, list its address in server.trustedProxies and let it send X-Forwarded-For'
      : 'If it is your proxy or load balancer, list its address in server.trustedProxies';
  }

  #describe(request: IdentifiedRequest): string {
    const header = request.headers['x-forwarded-for'] === undefined ? 'Forwarded' : 'X-Forwarded-For';
    return `${clientAddress(request, this.trusted)} sends ${header}, from which no address of a client is taken`;
  }
}
