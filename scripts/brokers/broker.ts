export const brokerKinds = ['kafka', 'pulsar', 'redis'] as const;
export type BrokerKind = (typeof brokerKinds)[number];

/** Everything that a client needs to connect to a broker. It is plain data, so that it can be sent to another process. */
export interface BrokerAddress {
  readonly kind: BrokerKind;
  /** The value for `KAFKA_BROKER` (host:port, separated by commas), `PULSAR_SERVICE_URL` or `REDIS_URL`. */
  readonly url: string;
  /** Pulsar only: the HTTP address of the admin API. The WebSocket API has the same port, with `ws:`. */
  readonly webUrl?: string;
  /** Only for Pulsar with token authentication: a token of the superuser. */
  readonly token?: string;
}

/** A broker that this process has started and may stop, kill or suspend. It ends when this process ends. */
export interface RunningBroker extends BrokerAddress, AsyncDisposable {
  /** Shuts the broker down and kills it after 20 s. Keeps its data. Does nothing if the broker is not running. */
  stop(): Promise<void>;
  /** Sends SIGKILL: nothing is flushed and no client is notified. Keeps the data. */
  kill(): Promise<void>;
  /** Suspends the broker until `thaw`: it accepts connections but does not respond, like an overloaded broker. */
  freeze(): void;
  thaw(): void;
  /** Restarts the broker with the same ports and data. Resolves when it is ready. */
  restart(): Promise<void>;
  /** Kills the broker and removes its data, unless `keepData` is set. May be called twice. */
  dispose(): Promise<void>;
}

export interface StartOptions {
  /** Port for clients. Default: a free port. */
  readonly port?: number;
  /** Keeps the data directory on `dispose`, and starts with the data of an earlier broker on this port. */
  readonly keepData?: boolean;
}

/** Returns the environment variables with which Carillon connects to this broker. */
export function environmentOf(address: BrokerAddress): Record<string, string> {
  switch (address.kind) {
    case 'kafka':
      return { KAFKA_BROKER: address.url };
    case 'redis':
      return { REDIS_URL: address.url };
    case 'pulsar':
      return {
        PULSAR_SERVICE_URL: address.url,
        ...(address.webUrl === undefined ? {} : { PULSAR_WEB_URL: address.webUrl }),
        ...(address.token === undefined ? {} : { PULSAR_TOKEN: address.token }),
      };
    default:
      return address.kind satisfies never;
  }
}
