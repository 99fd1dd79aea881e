import type { Registrations } from '../../../delivery/index.js';
import type { CloseCode } from '../../connection/close-codes.js';
import type { Refusal } from '../../connection/refusals.js';
import type { ConnectionContext, RouteBackend } from './backend.js';

/** One route and its functions. */
export interface Route {
  readonly name: string;
  readonly path: string;
  readonly backend: RouteBackend;
  readonly maxPendingMessages: number;
  /** How long the register function may take, in ms. */
  readonly registerTimeoutMs: number;
}

/** A connection, for what others do with it. */
export interface RoutedConnection {
  readonly id: string;
  readonly context: ConnectionContext;
  /** Unix time in ms. */
  readonly connectedAt: number;
  readonly lastActiveAt: number;
  push(data: Buffer, isText: boolean): void;
  close(code: CloseCode): void;
}

/** What the connections of all routes share. */
export interface RouteHost {
  readonly registrations: Registrations;
  joined(connection: RoutedConnection): void;
  left(connection: RoutedConnection): void;
  /** The register function failed. Returns how the client is refused. */
  refusalFor(route: Route, error: unknown): Refusal;
  transportFailed(route: Route, error: unknown): void;
}
