/** How a message is published. */
export interface PublishOptions {
  /** Short texts that subscribers receive beside the data. */
  readonly tags?: Readonly<Record<string, string>>;
  /** A publication with the same key in the same channel within some minutes is not sent again. */
  readonly idempotencyKey?: string;
  /** Sends the publication without storing it in the history of the channel. */
  readonly skipHistory?: boolean;
  /**
   * `direct` (the default) is the fastest: the promise resolves when the message is in the history and on its way to the clients.
   * `instant` takes the message through the instant lane, whose broker keeps it if this process dies.
   */
  readonly lane?: 'direct' | 'instant';
  /** Time after which a message that was not delivered is dropped, in ms. */
  readonly expiresInMs?: number;
}

/** When a message is due: exactly one of `afterMs` and `at`. */
export type ScheduleOptions = Omit<PublishOptions, 'lane'> &
  (
    | {
        /** Delay from now, in ms. */
        readonly afterMs: number;
        readonly at?: never;
      }
    | { readonly at: Date; readonly afterMs?: never }
  );

export interface Published {
  /** Position in the history of the channel. Absent if the channel has none, or if the message took the instant lane. */
  readonly offset?: number;
  readonly epoch?: string;
  /** Id of the message. Present if the message took the instant lane, or if it expires. */
  readonly id?: string;
}

/** The result of a broadcast in one channel. */
export type BroadcastResult =
  | { readonly channel: string; readonly published: Published }
  | { readonly channel: string; readonly error: Error };

/** A client in a channel. */
export interface Member {
  /** Id of the connection. */
  readonly client: string;
  /** Empty for an anonymous client. */
  readonly user: string;
  /** What the application said about the connection. */
  readonly connectionInfo?: unknown;
  /** What the application said about the subscription. */
  readonly subscriptionInfo?: unknown;
}

export interface HistoryOptions {
  /** Most publications in the page. Default: 100. 0: only the position. */
  readonly limit?: number;
  /** Returns what comes after this position, or before it with `reverse`. */
  readonly since?: { readonly offset: number; readonly epoch: string };
  /** Newest first. */
  readonly reverse?: boolean;
}

export interface PublishedEntry {
  readonly offset: number;
  /** The value, or bytes if the message is not JSON. */
  readonly data: unknown;
  readonly tags?: Readonly<Record<string, string>>;
  /** The client that published it. Absent: the server did. */
  readonly publisher?: Member;
  readonly publishedAt: Date;
}

/** Publications, and the latest position of the channel at the same moment. */
export interface HistoryPage {
  readonly publications: readonly PublishedEntry[];
  readonly offset: number;
  readonly epoch: string;
}

/** Which connections of a user are closed, and how. */
export interface DisconnectOptions {
  /** Closes only the connection with this id. */
  readonly client?: string;
  /** Ids of connections that stay open. */
  readonly except?: readonly string[];
  /** The close code that clients receive, 3000 to 4999. From 3500 to 3999 and from 4500, clients do not reconnect. */
  readonly code?: number;
  /** At most 123 bytes. */
  readonly reason?: string;
}
