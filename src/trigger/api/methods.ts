import { Injectable } from '@nestjs/common';
import { Delivery, type NodeInfo } from '../../delivery/index.js';
import type { JsonScanner } from '../../json/index.js';
import { ApiRefusal, apiFaults } from './api.errors.js';
import { ChannelQueries } from './channel-queries.js';
import type { Command, CommandContext, Method } from './command.js';
import { ConnectionCommands } from './connection-commands.js';
import type { Field } from './fields.js';
import { Publishing } from './publishing.js';
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
    private readonly delivery: Delivery,
  ) {
    this.all = [
      method('publish', publishRequest, (request, context) => publishing.publish(request, context)),
      method('broadcast', broadcastRequest, (request, context) => publishing.broadcast(request, context)),
      method('subscribe', subscribeRequest, (request) => connections.subscribe(request)),
      method('unsubscribe', unsubscribeRequest, (request) => connections.unsubscribe(request)),
      method('disconnect', disconnectRequest, (request) => connections.disconnect(request)),
      method('presence', channelRequest, (request) => channels.presence(request)),
      method('presence_stats', channelRequest, (request) => channels.presenceStats(request)),
      method('history', historyRequest, (request) => channels.history(request)),
      method('history_remove', channelRequest, (request) => channels.historyRemove(request)),
      method('info', infoRequest, () => this.#info()),
      method('rpc', rpcRequest, callNothing),
      method('refresh', refreshRequest, (request) => connections.refresh(request)),
      method('channels', channelsRequest, (request) => channels.channels(request)),
    ];
    this.#byName = new Map(this.all.map((each) => [each.name, each]));
  }

  find(name: string): Method | undefined {
    return this.#byName.get(name);
  }

  async #info(): Promise<string> {
    const nodes = await this.delivery.nodes();
    return JSON.stringify({ nodes: nodes.map(describeNode) });
  }
}

function method<Request>(
  name: string,
  { read }: Field<Request>,
  run: (request: Request, context: CommandContext) => Promise<string> | string,
): Method {
  return {
    name,
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
  const { uid, name, version, numClients, numUsers, numSubs, numChannels, uptime, process } = node;
  return {
    uid,
    name,
    version,
    num_clients: numClients,
    num_users: numUsers,
    num_channels: numChannels,
    uptime,
    process,
    num_subs: numSubs,
  };
}
