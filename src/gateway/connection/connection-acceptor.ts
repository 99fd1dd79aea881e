import { Inject, Injectable, Logger } from '@nestjs/common';
import { settlesWithin } from '../../async/index.js';
import { GatewayMetrics } from '../gateway.metrics.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import { ConnectionAdmission } from './connection-admission.js';
import { Connection, type ConnectionFactory } from './connection.js';
import { Connections } from './connections.js';
import { Handshake, type Endpoint, type HandshakeRequest } from './handshake.js';
import { HandshakeRefusedError, refusals, type Refusal } from './refusals.js';

/** How a transport responds to a handshake. Exactly one of the functions is called, once. */
export interface HandshakeReply {
  /** Opens the connection before it returns, unless the handshake is malformed or the client is gone. */
  accept(connection: Connection): void;
  refuse(refusal: Refusal): void;
}

/**
 * Turns the handshakes of all transports into connections: applies the limits, lets the protocol create the connection,
 * and waits until it is prepared. A client whose transport opens misses nothing that is published from then on.
 */
@Injectable()
export class ConnectionAcceptor {
  readonly #logger = new Logger('Gateway');
  readonly #attachTimeoutMs: number;

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) { attachTimeoutMs }: GatewayModuleOptions,
    private readonly admission: ConnectionAdmission,
    private readonly connections: Connections,
    private readonly metrics: GatewayMetrics,
  ) {
    this.#attachTimeoutMs = attachTimeoutMs;
  }

  async accept(
    request: HandshakeRequest,
    endpoint: Endpoint,
    factory: ConnectionFactory,
    reply: HandshakeReply,
  ): Promise<void> {
    const handshake = this.admission.admit(request, endpoint);
    if (!(handshake instanceof Handshake)) {
      this.refuse(handshake, reply);
      return;
    }
    const connection = this.#connect(handshake, factory);
    if (!(connection instanceof Connection)) {
      this.admission.leave(handshake.network);
      this.refuse(connection, reply);
      return;
    }
    const refusal = await this.#join(connection);
    if (refusal === undefined) reply.accept(connection);
    else this.refuse(refusal, reply);
    connection.abandon();
  }

  /** Refuses a handshake and counts the refusal. A transport calls it for requests that it refuses itself. */
  refuse(refusal: Refusal, reply: Pick<HandshakeReply, 'refuse'>): void {
    this.metrics.refused(refusal);
    reply.refuse(refusal);
  }

  #connect(handshake: Handshake, factory: ConnectionFactory): Connection | Refusal {
    try {
      return factory.connect(handshake, this.connections);
    } catch (error) {
      return this.#refusalFor(error, handshake.id);
    }
  }

  async #join(connection: Connection): Promise<Refusal | undefined> {
    try {
      const timeoutMs = connection.joinTimeoutMs ?? this.#attachTimeoutMs;
      if (!(await settlesWithin(timeoutMs, connection.join()))) return refusals.notReady;
    } catch (error) {
      return this.#refusalFor(error, connection.id);
    }
    if (this.admission.isShut) return refusals.shuttingDown;
    return connection.hasLeft ? refusals.notReady : undefined;
  }

  #refusalFor(error: unknown, id: string): Refusal {
    if (error instanceof HandshakeRefusedError) return error.refusal;
    this.#logger.warn(
      `connection ${id} was refused with 503, because it could not be prepared: ${String(error)}`,
    );
    return refusals.notReady;
  }
}
