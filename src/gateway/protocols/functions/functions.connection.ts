import {
  connectionChannel,
  type Delivery,
  type Publication,
  type RegisteredConnection,
  type Subscriber,
} from '../../../delivery/index.js';
import { inBackground } from '../../../async/index.js';
import { Connection, type ConnectionHost } from '../../connection/connection.js';
import type { Handshake } from '../../connection/handshake.js';
import { PublicationFormat } from '../../connection/publication-format.js';
import { HandshakeRefusedError } from '../../connection/refusals.js';
import type { Arrival, ConnectionContext } from './backend.js';
import { encodeContext } from './connection-details.js';
import { AnsweredError } from './functions.errors.js';
import { MessageQueue } from './message-queue.js';
import type { Route, RouteHost } from './route.js';

const format = new PublicationFormat(
  ({ data }) => data,
  ({ format: given }) => given === 'json',
);

/** A client whose messages functions of a backend handle. */
export class FunctionsConnection extends Connection implements Subscriber {
  readonly connectedAt = Date.now();
  readonly route: Route;
  context: ConnectionContext;
  lastActiveAt = this.connectedAt;
  readonly #host: RouteHost;
  readonly #delivery: Delivery;
  readonly #queue: MessageQueue;
  /** Undefined once the client is registered. */
  #arrival: Arrival | undefined;
  #needsCleanup = false;
  #isRegistered = false;
  #subprotocol: string | undefined;

  constructor(
    handshake: Handshake,
    host: ConnectionHost,
    delivery: Delivery,
    route: Route,
    routeHost: RouteHost,
  ) {
    super(handshake, host);
    this.route = route;
    this.#host = routeHost;
    this.#delivery = delivery;
    this.#queue = new MessageQueue(route.maxPendingMessages, (isFull) => this.#hold(isFull));
    const { address: sourceIp, userAgent, query, headers, params, subprotocols } = handshake;
    this.context = {
      path: handshake.path,
      requestId: this.id,
      sourceIp,
      userAgent,
      host: headers.host ?? '',
      connectedAt: this.connectedAt,
    };
    const extensions = headers['sec-websocket-extensions'] ?? '';
    this.#arrival = { id: this.id, context: this.context, query, headers, params, subprotocols, extensions };
  }

  override get joinTimeoutMs(): number {
    return this.route.registerTimeoutMs;
  }

  override get maxMessageBytes(): number | undefined {
    return this.route.limits?.maxMessageBytes;
  }

  override get maxFrameBytes(): number | undefined {
    return this.route.limits?.maxFrameBytes;
  }

  get isReachable(): boolean {
    return this.#isRegistered || this.route.pushesWhileRegistering;
  }

  /** The backend chooses. Without a choice there is none. */
  override get subprotocol(): string | false {
    return this.#subprotocol ?? false;
  }

  /** Stored before the backend knows of the client, so that it has its cleanup, whatever happens to this process. */
  override async join(): Promise<void> {
    const arrival = await this.#authorized(this.#arrival!);
    this.#arrival = undefined;
    if (this.hasLeft) return;
    await this.#host.registrations.add(this.#registered());
    this.#needsCleanup = true;
    // The backend may push while it registers the client.
    this.#host.joined(this);
    await this.#delivery.attach(connectionChannel(this.id), this);
    if (this.hasLeft) return;
    const registration = await this.route.backend.register(arrival).catch((error: unknown) => {
      // The backend may have registered the client all the same, so its cleanup is called.
      throw this.#failed(error);
    });
    if (registration.outcome === 'registered') {
      this.#subprotocol = registration.subprotocol;
      this.#isRegistered = true;
      return;
    }
    this.#needsCleanup = false;
    inBackground('removal of a refused connection', () => this.#host.registrations.remove(this.id));
    throw refusedBy(registration);
  }

  /** Asks before the client is stored, because what is stored has the authorizer's context. */
  async #authorized(arrival: Arrival): Promise<Arrival> {
    const authorization = await this.route.backend.authorize?.(arrival).catch((error: unknown) => {
      throw this.#failed(error);
    });
    if (authorization?.outcome === 'refused') throw refusedBy(authorization);
    if (authorization?.context !== undefined)
      this.context = { ...this.context, authorizer: authorization.context };
    return { ...arrival, context: this.context };
  }

  #failed(error: unknown): HandshakeRefusedError {
    return new HandshakeRefusedError(this.#host.refusalFor(this.route, error));
  }

  protected override onOpen(): void {
    this.startHeartbeat();
  }

  protected override onInbound(message: Buffer, isText: boolean): void {
    this.lastActiveAt = Date.now();
    // A copy: the bytes of a message are a view of what has arrived with it.
    const data = Buffer.copyBytesFrom(message);
    this.#queue.add(() => this.#transport(data, isText));
  }

  receive(publication: Publication): void {
    this.lastActiveAt = Date.now();
    this.deliver(publication, format);
  }

  /** Sends what the backend pushes to this client. */
  push(data: Buffer, isText: boolean): void {
    this.lastActiveAt = Date.now();
    this.sendMessage(data, isText);
  }

  protected override leave(): void {
    this.#delivery.detach(connectionChannel(this.id), this);
    this.#host.left(this);
    if (!this.#needsCleanup) return;
    inBackground('cleanup of a connection', async () => {
      await this.#queue.idle();
      this.#host.registrations.end(this.#registered());
    });
  }

  async #transport(data: Buffer, isText: boolean): Promise<void> {
    try {
      const answer = await this.route.backend.transport(this.id, this.context, data, isText);
      if (answer !== undefined) this.push(answer.data, answer.isText);
    } catch (error) {
      this.#host.transportFailed(this.route, error);
      if (error instanceof AnsweredError) this.push(error.answer.data, error.answer.isText);
    }
  }

  #hold(isFull: boolean): void {
    if (isFull) this.pause();
    else this.resume();
  }

  #registered(): Omit<RegisteredConnection, 'node'> {
    const { id, connectedAt, context } = this;
    return { id, route: this.route.name, connectedAt, details: encodeContext(context) };
  }
}

function refusedBy({ status, message }: { readonly status: number; readonly message: string }) {
  return new HandshakeRefusedError({ status, code: 'backend_refused', message });
}
