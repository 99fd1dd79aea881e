export const brokerKinds = ['kafka', 'pulsar', 'redis'] as const;
export type BrokerKind = (typeof brokerKinds)[number];

/** Where a broker answers: all that a client needs to know, and plain data, so that it can be sent to another process. */
export interface BrokerAddress {
  readonly kind: BrokerKind;
  /** In the form that `KAFKA_BROKER` (host:port, comma list), `PULSAR_SERVICE_URL` or `REDIS_URL` takes. */
  readonly url: string;
  /** Pulsar only: the HTTP address of the admin API; the same port with `ws:` is the WebSocket API. */
  readonly webUrl?: string;
  /** Pulsar with token authentication only: a token of the superuser. */
  readonly token?: string;
}

/** A broker that was started here and can be disturbed on purpose. It dies with the process that started it. */
export interface RunningBroker extends BrokerAddress, AsyncDisposable {
  /** Asks the broker to shut down and waits until it has; after 20 s it is killed. Data stay. Harmless when it is down. */
  stop(): Promise<void>;
  /** SIGKILL: nothing is flushed, no client is told. Data stay. */
  kill(): Promise<void>;
  /** Stands still until `thaw`: it takes connections and answers nothing, as one does that is far too busy. */
  freeze(): void;
  thaw(): void;
  /** Starts on the same ports and data, after a stop if need be. Resolves when the broker serves again. */
  restart(): Promise<void>;
  /** Kills the broker and removes its data, unless `keepData` was set. May be called twice. */
  dispose(): Promise<void>;
}

export interface StartOptions {
  /** Port for clients; a free one by default. */
  readonly port?: number;
  /** Keep the data directory on `dispose`, and start on what a former broker on this port left there. */
  readonly keepData?: boolean;
}

/** The variables with which Carillon finds this broker. */
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
