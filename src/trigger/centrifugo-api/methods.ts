import { Inject, Injectable } from '@nestjs/common';
import { jsonSchemaOf, readMessage } from '../../schema/index.js';
import { ConnectionCommands } from '../operations/connection-commands.js';
import { Publishing, type PublishResult } from '../operations/publishing.js';
import { Queries } from '../operations/queries.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import type { ApiOptions } from './api.options.js';
import { ApiRefusal, apiFaults, limitExceeded } from './api.errors.js';
import type { Command, Method } from './command.js';
import {
  disconnectRequestOf,
  draftOf,
  refreshRequestOf,
  subscribeRequestOf,
  unsubscribeRequestOf,
} from './operation-requests.js';
import { Replies, replyText } from './replies.js';
import { requestSchemas } from './request-schemas.js';
import type { BatchedCommand, Requests, RpcRequest } from './requests.js';
import {
  channelsText,
  emptyText,
  historyText,
  infoResultText,
  presenceStatsText,
  presenceText,
  publishText,
} from './results.js';

/** The methods of the API by name. If a command of a batch names several, the first in this order counts. */
@Injectable()
export class Methods {
  readonly all: readonly Method[];
  readonly #byName: ReadonlyMap<string, Method>;

  constructor(
    publishing: Publishing,
    connections: ConnectionCommands,
    queries: Queries,
    private readonly replies: Replies,
    @Inject(TRIGGER_OPTIONS) options: TriggerOptions,
  ) {
    this.all = [
      method(
        'publish',
        'Publish in a channel.',
        (fields, traceparent) => publishing.publish(fields.channel, draftOf(fields, options, traceparent)),
        publishText,
      ),
      method(
        'broadcast',
        'Publish the same data in several channels.',
        (fields, traceparent) =>
          publishing.broadcast(
            requireChannels(fields.channels, options.api),
            draftOf(fields, options, traceparent),
          ),
        (results) => this.#broadcastText(results),
      ),
      method(
        'subscribe',
        'Subscribe the connections of a user to a channel.',
        (fields) => connections.subscribe(subscribeRequestOf(fields)),
        emptyText,
      ),
      method(
        'unsubscribe',
        'Unsubscribe the connections of a user from a channel.',
        (fields) => connections.unsubscribe(unsubscribeRequestOf(fields)),
        emptyText,
      ),
      method(
        'disconnect',
        'Close the connections of a user.',
        (fields) => connections.disconnect(disconnectRequestOf(fields)),
        emptyText,
      ),
      method(
        'presence',
        'List the clients in a channel.',
        ({ channel }) => queries.presence(channel),
        presenceText,
      ),
      method(
        'presence_stats',
        'Count the clients and users in a channel.',
        ({ channel }) => queries.presenceStats(channel),
        presenceStatsText,
      ),
      method('history', 'Read the history of a channel.', (fields) => queries.history(fields), historyText),
      method(
        'history_remove',
        'Remove the history of a channel.',
        ({ channel }) => publishing.removeHistory(channel),
        emptyText,
      ),
      method('info', 'List the nodes of the deployment.', () => queries.nodes(), infoResultText),
      method('rpc', 'Call a method of the server. There are no built-in methods.', callNothing, emptyText),
      method(
        'refresh',
        'Extend the connections of a user, or let them expire.',
        (fields) => connections.refresh(refreshRequestOf(fields)),
        emptyText,
      ),
      method(
        'channels',
        'List the channels that have subscribers.',
        ({ pattern }) => queries.channels(pattern),
        channelsText,
      ),
    ];
    this.#byName = new Map(this.all.map((each) => [each.name, each]));
  }

  find(name: string): Method | undefined {
    return this.#byName.get(name);
  }

  /** Returns the command of the first method that is named, or undefined if there is none. */
  commandOf(batched: BatchedCommand): Command | undefined {
    for (const { pick } of this.all) {
      const command = pick(batched);
      if (command !== undefined) return command;
    }
    return undefined;
  }

  /** Each channel has a reply of its own. */
  #broadcastText(results: readonly PromiseSettledResult<PublishResult>[]): string {
    const replies = results.map((each) =>
      replyText(
        each.status === 'fulfilled'
          ? { result: publishText(each.value) }
          : { fault: this.replies.faultOf(each.reason, 'broadcast') },
      ),
    );
    return `{"responses":[${replies.join(',')}]}`;
  }
}

function method<Name extends keyof Requests, Result>(
  name: Name,
  summary: string,
  run: (request: Requests[Name], traceparent: string | undefined) => Promise<Result>,
  textOf: (result: Result) => string,
): Method {
  const schema = requestSchemas[name];
  const commandFor = (request: Requests[Name]): Command<Result> => ({
    method: name,
    run: (traceparent) => run(request, traceparent),
    textOf,
  });
  return {
    name,
    summary,
    schema: jsonSchemaOf(schema),
    read: (scanner) => commandFor(readMessage(scanner, schema)),
    pick: (batched) => {
      const request = batched[name];
      return request === undefined ? undefined : commandFor(request);
    },
  };
}

function requireChannels(
  channels: readonly string[],
  { maxBroadcastChannels }: ApiOptions,
): readonly string[] {
  if (channels.length === 0) throw new ApiRefusal(apiFaults.badRequest);
  if (channels.length > maxBroadcastChannels)
    throw limitExceeded(
      `the broadcast has ${channels.length} channels: at most ${maxBroadcastChannels} are accepted (api.maxBroadcastChannels)`,
    );
  return channels;
}

/** No method that a backend could call is built in. */
function callNothing({ method: called }: RpcRequest): never {
  throw new ApiRefusal(called === '' ? apiFaults.badRequest : apiFaults.notFound);
}
