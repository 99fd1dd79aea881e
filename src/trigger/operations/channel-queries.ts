import { Injectable } from '@nestjs/common';
import {
  ChannelRules,
  Delivery,
  Nodes,
  Presence,
  type ChannelRule,
  type HistoryEntry,
  type ClientInfo,
} from '../../delivery/index.js';
import { isJson, onOneLine } from '../../json/index.js';
import { ApiRefusal, apiFaults } from '../centrifugo-api/api.errors.js';
import { ruleOf } from './channels.js';
import type { ChannelRequest, ChannelsRequest, HistoryRequest } from '../centrifugo-api/requests.js';

const ALL = -1;

/** What can be asked about channels. Every method returns its result as JSON text. */
@Injectable()
export class ChannelQueries {
  constructor(
    private readonly delivery: Delivery,
    private readonly members: Presence,
    private readonly nodes: Nodes,
    private readonly rules: ChannelRules,
  ) {}

  async presence({ channel }: ChannelRequest): Promise<string> {
    this.#require(channel, ({ options }) => options.presence);
    const members = await this.members.members(channel);
    const entries = [...members].map(([id, info]) => `${JSON.stringify(id)}:${infoText(info)}`);
    return `{"presence":{${entries.join(',')}}}`;
  }

  async presenceStats({ channel }: ChannelRequest): Promise<string> {
    this.#require(channel, ({ options }) => options.presence);
    const { clients, users } = await this.members.stats(channel);
    return JSON.stringify({ num_clients: clients, num_users: users });
  }

  async history({ channel, limit, since, reverse }: HistoryRequest): Promise<string> {
    this.#require(channel, ({ keepsHistory }) => keepsHistory);
    // Before the first there is nothing; Centrifugo fails here as well.
    if (reverse && since?.offset === 0) throw new ApiRefusal(apiFaults.internal);
    const page = await this.delivery.history(channel, {
      limit: limit < 0 ? ALL : limit,
      reverse,
      ...(since !== undefined ? { since } : {}),
    });
    const publications = page.publications.map(publicationText).join(',');
    return `{"publications":[${publications}],"epoch":${JSON.stringify(page.epoch)},"offset":${page.offset}}`;
  }

  async historyRemove({ channel }: ChannelRequest): Promise<string> {
    this.#require(channel, ({ keepsHistory }) => keepsHistory);
    await this.delivery.removeHistory(channel);
    return '{}';
  }

  async channels({ pattern }: ChannelsRequest): Promise<string> {
    const counts = await this.nodes.channels(pattern);
    const entries = [...counts].map(([name, count]) => [name, { num_clients: count }] as const);
    return JSON.stringify({ channels: Object.fromEntries(entries) });
  }

  #require(channel: string, offers: (rule: ChannelRule) => boolean): void {
    if (!offers(ruleOf(this.rules, channel))) throw new ApiRefusal(apiFaults.notAvailable);
  }
}

/** Joined as text, so that payloads stay as they are. What is not JSON is put into base64, in which it may have come. */
function publicationText({ data, format, info, offset, tags }: HistoryEntry): string {
  const payload =
    format === 'json' ? `"data":${onOneLine(data).toString()}` : `"b64data":"${data.toString('base64')}"`;
  const publisher = info === undefined ? '' : `,"info":${infoText(info)}`;
  return `{${payload}${publisher},"offset":${offset}${tags === undefined ? '' : `,"tags":${JSON.stringify(tags)}`}}`;
}

function infoText({ user, client, connInfo, chanInfo }: ClientInfo): string {
  const names = `"user":${JSON.stringify(user)},"client":${JSON.stringify(client)}`;
  return `{${names}${memberText('conn_info', connInfo)}${memberText('chan_info', chanInfo)}}`;
}

/** Clients with the binary encoding may say of themselves what is no JSON: it cannot be shown here. */
function memberText(name: string, info: Buffer | undefined): string {
  return info !== undefined && isJson(info) ? `,"${name}":${onOneLine(info).toString()}` : '';
}
