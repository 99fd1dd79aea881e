/** What a node announces about itself every few seconds. */
export interface NodeInfo {
  /** The first part of the ids of its connections. */
  readonly uid: string;
  readonly name: string;
  readonly version: string;
  readonly numClients: number;
  readonly numUsers: number;
  readonly numSubs: number;
  readonly numChannels: number;
  /** Seconds. */
  readonly uptime: number;
  /** The values of its counters and gauges, by the names of the metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly process: { /** Share of one core. */ readonly cpu: number; /** Bytes. */ readonly rss: number };
}

/** What only the gateway knows about this node. */
export interface Audience {
  readonly numClients: number;
  /** Number of different user ids among them. */
  readonly numUsers: number;
}
