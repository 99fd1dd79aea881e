import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Config } from '../config/config.js';
import type { Loaded } from '../config/load.js';
import { ConnectionCommands, Publishing, Queries, Schedules, type Route } from '../trigger/index.js';
import type {
  BroadcastResult,
  DisconnectOptions,
  HistoryOptions,
  HistoryPage,
  Member,
  Published,
  PublishOptions,
  ScheduleOptions,
} from './carillon.types.js';
import { checkDuration, draftOf, timingOf, wholeNumber, type Limits } from './drafts.js';
import { RoleNotHereError } from './embedded.errors.js';
import { LOADED_OPTIONS } from './lifecycle.js';
import { entryOf, memberOf } from './results.js';

const DEFAULT_LIMIT = 100;
/** Clients do not reconnect after this code: the protocol's own code for a forced disconnect. */
const FORCED_DISCONNECT = 3503;

/**
 * What an application does with channels and clients, wherever in the deployment they are. Data is a value that JSON can represent,
 * or bytes (a Buffer or Uint8Array); bytes that are JSON text are sent as JSON. Times are in ms.
 *
 * @throws from every method: RoleNotHereError in a process without the role `trigger`, InvalidChannelError and
 *   UnknownNamespaceError for a channel that cannot exist, and BrokerUnavailableError, after which the call may be repeated. All
 *   errors are a `CarillonError` with a stable `code`.
 */
@Injectable()
export class Carillon {
  readonly #limits: Limits;

  constructor(
    @Inject(LOADED_OPTIONS) { config }: Loaded<Config>,
    @Optional() private readonly publishing?: Publishing,
    @Optional() private readonly schedules?: Schedules,
    @Optional() private readonly queries?: Queries,
    @Optional() private readonly commands?: ConnectionCommands,
  ) {
    const { server, trigger } = config;
    this.#limits = { maxBytes: server.http.bodyLimitBytes, maxKeyLength: trigger.idempotency.maxKeyLength };
  }

  /**
   * Publishes a message in a channel, to all clients that subscribe to it.
   *
   * @throws UnencodableDataError, PayloadTooLargeError, InvalidArgumentError, and InvalidPayloadError if the options of the channel
   *   do not accept the data
   */
  async publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<Published> {
    const draft = draftOf(data, options, routeOf(options), this.#limits);
    return here(this.publishing, 'publish').publish(channel, draft);
  }

  /**
   * Publishes one message in several channels. One channel that fails does not affect the others. The results are in the order of the
   * channels.
   *
   * @throws UnencodableDataError, PayloadTooLargeError, InvalidArgumentError. Errors of single channels are in the results.
   */
  async broadcast(
    channels: readonly string[],
    data: unknown,
    options: PublishOptions = {},
  ): Promise<BroadcastResult[]> {
    const draft = draftOf(data, options, routeOf(options), this.#limits);
    const results = await here(this.publishing, 'broadcast').broadcast(channels, draft);
    return results.map((result, at) => {
      const channel = channels[at] ?? '';
      if (result.status === 'fulfilled') return { channel, published: result.value };
      const reason: unknown = result.reason;
      return { channel, error: reason instanceof Error ? reason : new Error(String(reason)) };
    });
  }

  /**
   * Publishes a message in a channel at a later time. Resolves to the id of the message when the delayed lane holds it.
   *
   * @throws InvalidArgumentError, DeliverAtInPastError, DelayTooLongError (`trigger.maxDelayMs`), ExpiresBeforeDueError,
   *   ScheduleFullError, and what {@link publish} throws
   */
  async schedule(channel: string, data: unknown, options: ScheduleOptions): Promise<string> {
    const { expiresInMs } = options;
    const timing = timingOf(options);
    const route: Route = { lane: 'delayed', timing, ...(expiresInMs !== undefined ? { expiresInMs } : {}) };
    const draft = draftOf(data, options, route, this.#limits);
    const { id = '' } = await here(this.publishing, 'schedule').publish(channel, draft);
    return id;
  }

  /**
   * Cancels a scheduled message.
   *
   * @throws UnknownScheduleError if no message with this id waits: it may have been delivered or cancelled. ScheduleAlreadyDueError
   *   if it is being delivered.
   */
  async cancel(id: string): Promise<void> {
    await here(this.schedules, 'cancel').cancel(id, undefined);
  }

  /**
   * Returns the clients in a channel.
   *
   * @throws NotAvailableError if the options of the channel do not turn presence on. PresenceTooLargeError if they are larger than
   *   `trigger.api.responseMaxBytes`.
   */
  async presence(channel: string): Promise<Member[]> {
    const members = await here(this.queries, 'presence').presence(channel);
    return [...members.values()].map(memberOf);
  }

  /**
   * Returns one page of the publications in the history of a channel, the oldest first, and the latest position.
   *
   * @throws NotAvailableError if the options of the channel do not turn the history on. UnrecoverablePositionError if `since` names
   *   another epoch. InvalidArgumentError.
   */
  async history(channel: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    const { limit = DEFAULT_LIMIT, since, reverse = false } = options;
    wholeNumber('limit', limit);
    if (since !== undefined) wholeNumber('since.offset', since.offset);
    const page = await here(this.queries, 'history').history({ channel, limit, since, reverse });
    return { publications: page.publications.map(entryOf), offset: page.offset, epoch: page.epoch };
  }

  /**
   * Closes the connections of a user, on whichever node they are. Resolves when the command is sent, not when they are closed. It is not
   * an error if the user has none.
   *
   * @throws InvalidDisconnectError
   */
  async disconnect(user: string, options: DisconnectOptions = {}): Promise<void> {
    const { client, except, code, reason } = options;
    const closesWith = code !== undefined || reason !== undefined;
    await here(this.commands, 'disconnect').disconnect({
      user,
      ...(client !== undefined ? { client } : {}),
      ...(except !== undefined ? { whitelist: except } : {}),
      ...(closesWith ? { disconnect: { code: code ?? FORCED_DISCONNECT, reason: reason ?? '' } } : {}),
    });
  }
}

/** @throws RoleNotHereError */
function here<Operations>(operations: Operations | undefined, method: string): Operations {
  if (operations === undefined) throw new RoleNotHereError(`Carillon.${method}`);
  return operations;
}

function routeOf({ lane = 'direct', expiresInMs }: PublishOptions): Route | undefined {
  if (expiresInMs === undefined) return lane === 'direct' ? undefined : { lane };
  checkDuration('expiresInMs', expiresInMs);
  return { lane, expiresInMs };
}
