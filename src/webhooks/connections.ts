import type { Socket } from 'node:net';
import { buildConnector, Pool } from 'undici';
import { readPem } from '../tls/index.js';
import type { AddressGuard, TargetTrust } from './address-guard.js';
import { WebhookAddressRefusedError, WebhookOverloadedError } from './webhooks.errors.js';
import type { TargetTls } from './webhooks.options.js';

export interface PoolRequest {
  readonly origin: string;
  readonly trust: TargetTrust;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly tls: TargetTls | undefined;
}

type Connector = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket | undefined;

/** How long an idle connection stays open, in ms, unless the backend says less. Backends close them after 5 s or more. */
const KEEP_ALIVE_MS = 4_000;

/** Opens all connections to backends: it checks their addresses and limits their number. */
export class OutgoingConnections {
  #open = 0;

  constructor(
    private readonly guard: AddressGuard,
    private readonly limit: number,
    private readonly observe: (change: 1 | -1) => void,
  ) {}

  /** @throws PemUnreadableError */
  pool({ origin, trust, connections, connectTimeoutMs, tls }: PoolRequest): Pool {
    return new Pool(origin, {
      connections,
      allowH2: false,
      connect: this.#connector(trust, connectTimeoutMs, tls) as buildConnector.connector,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Each call has its own, precise time-outs.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  #connector(trust: TargetTrust, timeout: number, tls: TargetTls | undefined): Connector {
    const connect = buildConnector({
      ...tlsOptions(tls),
      allowH2: false,
      timeout,
      lookup: this.guard.lookup(trust),
    }) as Connector;
    return (options, callback) => {
      const refusal = this.#refusal(options.hostname, trust);
      if (refusal !== undefined) {
        process.nextTick(callback, refusal, null);
        return undefined;
      }
      const socket = connect(options, callback);
      this.#count(1);
      socket?.once('close', () => this.#count(-1));
      return socket;
    };
  }

  #refusal(host: string, trust: TargetTrust): Error | undefined {
    if (!this.guard.permitsHost(host, trust))
      return new WebhookAddressRefusedError(`${host} may not be called: see webhooks.addresses`);
    if (this.#open >= this.limit)
      return new WebhookOverloadedError(
        `there are ${this.#open} connections to backends, as many as webhooks.maxConnections allows`,
      );
    return undefined;
  }

  #count(change: 1 | -1): void {
    this.#open += change;
    this.observe(change);
  }
}

function tlsOptions(tls: TargetTls | undefined): object {
  if (tls === undefined) return {};
  const { ca, cert, key, serverName, insecureSkipVerify } = tls;
  return {
    ...(ca !== undefined && { ca: readPem('tls.ca', ca) }),
    ...(cert !== undefined && { cert: readPem('tls.cert', cert) }),
    ...(key !== undefined && { key: readPem('tls.key', key) }),
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: !insecureSkipVerify,
  };
}
