import type { IncomingHttpHeaders } from 'node:http';

/** What is known about a client for as long as it is connected. It is stored with the connection, for its cleanup. */
export interface ConnectionContext {
  readonly path: string;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** The Host header of its handshake. */
  readonly host: string;
  /** Unix time in ms. */
  readonly connectedAt: number;
  /** What the authorizer of the route says about the client. */
  readonly authorizer?: Readonly<Record<string, unknown>>;
}

/** A client that wants to connect. */
export interface Arrival {
  readonly id: string;
  readonly context: ConnectionContext;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  /** The WebSocket subprotocols that the client offers. */
  readonly subprotocols: readonly string[];
  /** The `Sec-WebSocket-Extensions` header; empty without it. */
  readonly extensions: string;
}

export type Authorization =
  | { readonly outcome: 'allowed'; readonly context?: Readonly<Record<string, unknown>> }
  | { readonly outcome: 'refused'; readonly status: number; readonly message: string };

export type Registration =
  | { readonly outcome: 'registered'; readonly subprotocol: string | undefined }
  /** The backend does not want the client. */
  | { readonly outcome: 'refused'; readonly status: number; readonly message: string };

/** A message to send to a client. */
export interface Answer {
  readonly data: Buffer;
  readonly isText: boolean;
}

/** The functions of one route, in one of the shapes that they may have. Each method rejects if the call fails. */
export interface RouteBackend {
  /** Decides before the client is registered. Its context is in everything that follows. A backend without it allows all clients. */
  authorize?(arrival: Arrival): Promise<Authorization>;
  register(arrival: Arrival): Promise<Registration>;
  /** Resolves to what is sent back to the client. May reject with `AnsweredError`. */
  transport(
    id: string,
    context: ConnectionContext,
    data: Buffer,
    isText: boolean,
  ): Promise<Answer | undefined>;
  cleanUp(id: string, context: ConnectionContext): Promise<void>;
}
