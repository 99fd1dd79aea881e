import { Injectable } from '@nestjs/common';
import { type NodeInfo, Nodes } from '../../delivery/index.js';
import type { JsonScanner } from '../../json/index.js';
import { ApiRefusal, apiFaults } from './api.errors.js';
import { ChannelQueries } from '../operations/channel-queries.js';
import type { Command, CommandContext, Method } from './command.js';
import { ConnectionCommands } from '../operations/connection-commands.js';
import type { Field } from './fields.js';
import { Publishing } from '../operations/publishing.js';
import {
  broadcastRequest,
  channelRequest,
  channelsRequest,
  disconnectRequest,
  historyRequest,
  infoRequest,
  publishRequest,
  refreshRequest,
  rpcRequest,
  subscribeRequest,
  unsubscribeRequest,
  type RpcRequest,
} from './requests.js';

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
      method('publish', 'Publish in a channel.', publishRequest, (request, context) =>
        publishing.publish(request, context),
      ),
      method('broadcast', 'Publish the same in several channels.', broadcastRequest, (request, context) =>
        publishing.broadcast(request, context),
      ),
      method('subscribe', 'Subscribe the connections of a user to a channel.', subscribeRequest, (request) =>
        connections.subscribe(request),
      ),
      method(
        'unsubscribe',
        'End subscriptions of the connections of a user.',
        unsubscribeRequest,
        (request) => connections.unsubscribe(request),
      ),
      method('disconnect', 'Close the connections of a user.', disconnectRequest, (request) =>
        connections.disconnect(request),
      ),
      method('presence', 'Who is in a channel.', channelRequest, (request) => channels.presence(request)),
      method('presence_stats', 'How many are in a channel.', channelRequest, (request) =>
        channels.presenceStats(request),
      ),
      method('history', 'What is kept of a channel.', historyRequest, (request) => channels.history(request)),
      method('history_remove', 'Drop what is kept of a channel.', channelRequest, (request) =>
        channels.historyRemove(request),
      ),
      method('info', 'The nodes of the deployment.', infoRequest, () => this.#info()),
      method('rpc', 'Call a method of the server: none is built in.', rpcRequest, callNothing),
      method('refresh', 'Prolong the connections of a user, or let them expire.', refreshRequest, (request) =>
        connections.refresh(request),
      ),
      method('channels', 'The channels that have subscribers.', channelsRequest, (request) =>
        channels.channels(request),
      ),
    ];
    this.#byName = new Map(this.all.map((each) => [each.name, each]));
  }

  find(name: string): Method | undefined {
    return this.#byName.get(name);
  }

  async #info(): Promise<string> {
    const nodes = await this.nodes.list();
    return JSON.stringify({ nodes: nodes.map(describeNode) });
  }
}

function method<Request>(
  name: string,
  summary: string,
  { read, schema }: Field<Request>,
  run: (request: Request, context: CommandContext) => Promise<string> | string,
): Method {
  return {
    name,
    summary,
    schema,
    read(scanner: JsonScanner): Command {
      const request = read(scanner);
      return { method: name, run: (context) => run(request, context) };
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
