import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  ConnectionCalls,
  Delivery,
  Registrations,
  type ConnectionStatus,
  type RegisteredConnection,
} from '../../../delivery/index.js';
import { every } from '../../../async/index.js';
import { RepeatedWarning } from '../../../limits/index.js';
import type { ConnectionHost } from '../../connection/connection.js';
import type { Handshake } from '../../connection/handshake.js';
import type { Refusal } from '../../connection/refusals.js';
import type { Protocol, ProtocolDefinition } from '../protocol.js';
import { refusalOfFailure } from './backend-refusal.js';
import { closeCodes } from './close-codes.js';
import { decodeContext } from './connection-details.js';
import { FunctionsConnection } from './functions.connection.js';
import { BackendFailedError } from './functions.errors.js';
import { functionsSettings } from './functions.options.js';
import { ManagementAccess } from './management/management-access.js';
import { ManagementFailures } from './management/management-failures.js';
import { ManagementRoutes } from './management/management.routes.js';
import { PushSecrets } from './push-secrets.js';
import { ReversePushController } from './reverse-push.controller.js';
import { RouteLimiter } from './route-limiter.js';
import type { Route, RoutedConnection, RouteHost } from './route.js';
import { Routes } from './routes.js';

const logger = new Logger('Functions');
const SWEEP_MS = 1_000;

/** Connections whose messages functions of a backend handle. */
@Injectable()
class FunctionsProtocol implements Protocol, RouteHost, OnApplicationBootstrap, OnModuleDestroy {
  readonly #joined = new Map<string, RoutedConnection>();
  readonly #failures = new RepeatedWarning(logger);
  readonly #limiter = new RouteLimiter();
  #sweeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly routes: Routes,
    private readonly delivery: Delivery,
    readonly registrations: Registrations,
    private readonly calls: ConnectionCalls,
  ) {}

  /** Without routes, nothing is registered, and no lease is taken. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.routes.isEmpty) return;
    this.calls.serve({
      send: (id, data, isText) => this.#with(id, (connection) => connection.push(data, isText)),
      close: (id) => this.#with(id, (connection) => connection.close(closeCodes.closedByBackend)),
      inspect: (id) => this.#statusOf(id),
    });
    this.#sweeping = every('limits of function routes', SWEEP_MS, () =>
      this.#limiter.sweep(this.#joined.values(), Date.now()),
    );
    await this.registrations.start({
      cleanUp: (connection) => this.#cleanUp(connection),
      onLost: () => this.#closeAll(),
    });
  }

  connect(handshake: Handshake, host: ConnectionHost): FunctionsConnection {
    const route = this.routes.at(handshake.path);
    this.#limiter.admit(route);
    return new FunctionsConnection(handshake, host, this.delivery, route, this);
  }

  onModuleDestroy(): void {
    clearInterval(this.#sweeping);
  }

  joined(connection: RoutedConnection): void {
    this.#joined.set(connection.id, connection);
  }

  left({ id }: RoutedConnection): void {
    this.#joined.delete(id);
  }

  refusalFor(route: Route, error: unknown): Refusal {
    this.#failures.warn(
      `route ${route.name}: a client was refused, because the register function failed: ${String(error)}`,
    );
    const refusal = refusalOfFailure(error);
    return { ...refusal, status: route.failureStatus ?? refusal.status };
  }

  transportFailed(route: Route, error: unknown): void {
    this.#failures.warn(
      `route ${route.name}: a message was lost, because the transport function failed: ${String(error)}`,
    );
  }

  async #cleanUp({ id, route: name, details }: RegisteredConnection): Promise<void> {
    const route = this.routes.named(name);
    if (route === undefined) throw new BackendFailedError(`there is no route ${name} in the configuration`);
    await route.backend.cleanUp(id, decodeContext(details));
  }

  #with(id: string, act: (connection: RoutedConnection) => void): boolean {
    const connection = this.#joined.get(id);
    if (connection?.isReachable !== true) return false;
    act(connection);
    return true;
  }

  #statusOf(id: string): ConnectionStatus | undefined {
    const connection = this.#joined.get(id);
    if (connection?.isReachable !== true) return undefined;
    const { connectedAt, lastActiveAt, context } = connection;
    return { connectedAt, lastActiveAt, address: context.sourceIp, userAgent: context.userAgent };
  }

  #closeAll(): void {
    for (const connection of this.#joined.values()) connection.close(closeCodes.lost);
  }
}

/** WebSockets whose connects, messages and ends call functions of a backend. See `docs/functions.md`. */
export const functionsProtocol = {
  name: 'functions',
  paths: [],
  pathsOf: (options) => Object.values(functionsSettings.of(options).routes).map(({ path }) => path),
  closeCodes,
  settings: functionsSettings,
  useClass: FunctionsProtocol,
  controllers: [ReversePushController],
  providers: [Routes, PushSecrets, ManagementAccess, ManagementFailures, ManagementRoutes],
} as const satisfies ProtocolDefinition;
