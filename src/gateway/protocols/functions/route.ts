import type { Registrations } from '../../../delivery/index.js';
import type { Rate } from '../../../limits/index.js';
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
  /** Whether the backend may push to a client before it has admitted it. */
  readonly pushesWhileRegistering: boolean;
  /** The status with which clients are refused when a function fails; undefined: it says which failure it was. */
  readonly failureStatus?: number;
  readonly limits?: RouteLimits;
}

/** What the shape of a route adds to the limits of the gateway. */
export interface RouteLimits {
  readonly maxMessageBytes: number;
  readonly maxFrameBytes: number;
  readonly maxConnectionMs: number;
  readonly idleTimeoutMs: number;
  readonly newConnections: Rate;
}

/** A connection, for what others do with it. */
export interface RoutedConnection {
  readonly id: string;
  readonly context: ConnectionContext;
  readonly route: Route;
  /** Whether the backend may push to it. */
  readonly isReachable: boolean;
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
