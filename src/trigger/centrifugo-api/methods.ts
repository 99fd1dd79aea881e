import { Injectable } from '@nestjs/common';
import { type NodeInfo, Nodes } from '../../delivery/index.js';
import type { JsonScanner } from '../../json/index.js';
import { jsonSchemaOf, readMessage } from '../../schema/index.js';
import { ApiRefusal, apiFaults } from './api.errors.js';
import { ChannelQueries } from '../operations/channel-queries.js';
import type { Command, CommandContext, Method } from './command.js';
import { ConnectionCommands } from '../operations/connection-commands.js';
import { Publishing } from '../operations/publishing.js';
import { requestSchemas } from './request-schemas.js';
import type { BatchedCommand, Requests, RpcRequest } from './requests.js';

/** The methods of the API by their names. Where a command of a batch names several, the first in this order counts. */
@Injectable()
export class Methods {
  readonly all: readonly Method[];
  readonly #byName: ReadonlyMap<string, Method>;

  constructor(
    publishing: Publishing,
    connections: ConnectionCommands,
    channels: ChannelQueries,
    private readonly nodes: Nodes,
  ) {
    this.all = [
      method('publish', 'Publish in a channel.', (request, context) => publishing.publish(request, context)),
      method('broadcast', 'Publish the same in several channels.', (request, context) =>
        publishing.broadcast(request, context),
      ),
      method('subscribe', 'Subscribe the connections of a user to a channel.', (request) =>
        connections.subscribe(request),
      ),
      method('unsubscribe', 'End subscriptions of the connections of a user.', (request) =>
        connections.unsubscribe(request),
      ),
      method('disconnect', 'Close the connections of a user.', (request) => connections.disconnect(request)),
      method('presence', 'Who is in a channel.', (request) => channels.presence(request)),
      method('presence_stats', 'How many are in a channel.', (request) => channels.presenceStats(request)),
      method('history', 'What is kept of a channel.', (request) => channels.history(request)),
      method('history_remove', 'Drop what is kept of a channel.', (request) =>
        channels.historyRemove(request),
      ),
      method('info', 'The nodes of the deployment.', () => this.#info()),
      method('rpc', 'Call a method of the server: none is built in.', callNothing),
      method('refresh', 'Prolong the connections of a user, or let them expire.', (request) =>
        connections.refresh(request),
      ),
      method('channels', 'The channels that have subscribers.', (request) => channels.channels(request)),
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

  async #info(): Promise<string> {
    const nodes = await this.nodes.list();
    return JSON.stringify({ nodes: nodes.map(describeNode) });
  }
}

function method<Name extends keyof Requests>(
  name: Name,
  summary: string,
  run: (request: Requests[Name], context: CommandContext) => Promise<string> | string,
): Method {
  const schema = requestSchemas[name];
  const commandFor = (request: Requests[Name]): Command => ({
    method: name,
    run: (context) => run(request, context),
  });
  return {
    name,
    summary,
    schema: jsonSchemaOf(schema),
    read: (scanner: JsonScanner) => commandFor(readMessage(scanner, schema)),
    pick: (batched) => {
      const request = batched[name];
      return request === undefined ? undefined : commandFor(request);
    },
  };
}

/** There are no methods built in that a backend could call. */
function callNothing({ method: called }: RpcRequest): never {
  throw new ApiRefusal(called === '' ? apiFaults.badRequest : apiFaults.notFound);
}

function describeNode(node: NodeInfo) {
  const { uid, name, version, numClients, numUsers, numSubs, numChannels, uptime, metrics, process } = node;
  return {
    uid,
    name,
    version,
    num_clients: numClients,
    num_users: numUsers,
    num_channels: numChannels,
    uptime,
    // Over the whole life of the node, where Centrifugo has the last minute.
    metrics: { interval: uptime, items: metrics },
    process,
    num_subs: numSubs,
  };
}
