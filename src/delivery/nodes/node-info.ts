/** What a node says about itself, every few seconds. */
export interface NodeInfo {
  /** As in the ids of its connections. */
  readonly uid: string;
  readonly name: string;
  readonly version: string;
  readonly numClients: number;
  readonly numUsers: number;
  readonly numSubs: number;
  readonly numChannels: number;
  /** Seconds. */
  readonly uptime: number;
  /** What it has counted since its start, and what its gauges show, by the names of the metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly process: { /** Share of one core. */ readonly cpu: number; /** Bytes. */ readonly rss: number };
}

/** What only the gateway knows of this node. */
export interface Audience {
  readonly numClients: number;
  /** Different user ids among them. */
  readonly numUsers: number;
}
