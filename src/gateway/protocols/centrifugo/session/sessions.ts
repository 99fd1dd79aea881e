import { Inject, Injectable, Logger } from '@nestjs/common';
import { Delivery, Nodes, Presence, type ChannelRules } from '../../../../delivery/index.js';
import { Connections } from '../../../connection/connections.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../../gateway.module-definition.js';
import { RepeatedWarning } from '../../../../limits/index.js';
import type { TimerWheel } from '../../../connection/timer-wheel.js';
import type { AuthorizerChain } from '../../../auth/authorizer-chain.js';
import type { Handshake } from '../../../connection/handshake.js';
import { Authorization } from './authorization.js';
import { SingleConnectionPolicy } from './single-connection-policy.js';
import { clientSettings, type ClientOptions } from '../centrifugo.options.js';
import { CommandRates } from './command-rates.js';
import { ControlHandler } from './control-handler.js';
import { createHandlers } from '../handlers/handlers.js';
import { PositionWatch } from '../subscriptions/position-watch.js';
import type { SessionTransport } from './session-transport.js';
import { Session, type Handlers, type Renewal } from './session.js';
import { EmulatedHeaders } from '../handlers/emulated-headers.js';
import { Renewals } from '../handlers/renewals.js';
import { emulatedHeadersOfProxies } from '../../../auth/proxies/proxies.options.js';
import type { HandlerDependencies } from '../handlers/handler-dependencies.js';
import { Users } from './users.js';

/** Creates the sessions of the Centrifugo protocol on this process, and holds what they share. */
@Injectable()
export class Sessions implements HandlerDependencies {
  readonly options: ClientOptions;
  readonly wheel: TimerWheel;
  readonly rules: ChannelRules;
  readonly authorizer: AuthorizerChain;
  readonly users: Users;
  readonly singleConnection: SingleConnectionPolicy;
  readonly positions: PositionWatch;
  readonly handlers: Handlers;
  readonly renewal: Renewal;
  readonly emulatedHeaders: EmulatedHeaders;
  readonly pingSeconds: number;
  /** The size of the outbox: what exceeds it could not be sent to the client anyway. */
  readonly heldMaxBytes: number;
  readonly #failures = new RepeatedWarning(new Logger('Centrifugo'));
  readonly #rates: CommandRates;

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    readonly delivery: Delivery,
    readonly presence: Presence,
    private readonly authorization: Authorization,
    nodes: Nodes,
    connections: Connections,
  ) {
    const { heartbeat, outboxMaxBytes, version = '' } = options;
    const client = clientSettings.of(options);
    this.options = client;
    this.wheel = connections.wheel;
    this.rules = authorization.rules;
    this.authorizer = authorization.authorizer;
    this.users = new Users(delivery);
    this.singleConnection = new SingleConnectionPolicy(nodes);
    this.positions = new PositionWatch(delivery, this.wheel, {
      intervalMs: client.channelPositionCheckDelayMs,
    });
    this.heldMaxBytes = outboxMaxBytes;
    this.pingSeconds = Math.ceil(heartbeat.pingIntervalMs / 1000);
    this.renewal = new Renewals(this, authorization);
    this.emulatedHeaders = new EmulatedHeaders(
      emulatedHeadersOfProxies(client.proxies),
      options.forwardedHeadersMaxBytes,
    );
    this.handlers = createHandlers(this, version);
    this.#rates = new CommandRates(client.rates, this.users);
    const controls = new ControlHandler(this);
    nodes.onCommand((command) => controls.execute(command));
  }

  get keepsMeta(): boolean {
    return this.authorization.readsContext;
  }

  open(transport: SessionTransport, handshake: Handshake): Session {
    const context = this.authorization.contextOf(handshake, transport.codec.encoding);
    return new Session(transport, this, context);
  }

  takeCommand(session: Session): number {
    return this.#rates.take(session);
  }

  takeShared(session: Session): number | undefined {
    return this.#rates.takeShared(session);
  }

  countRefused(session: Session): boolean {
    return this.#rates.countRefused(session);
  }

  onEnded(session: Session): void {
    this.users.leave(session);
  }

  inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#failures.warn(`work in the background failed: ${String(error)}`));
  }
}
