import type { ClientInfo, HistoryEntry, HistoryPage, NodeInfo, PresenceStats } from '../../delivery/index.js';
import { isJson, onOneLine } from '../../json/index.js';
import type { PublishResult } from '../operations/publishing.js';

// Writes results as JSON text. Text is joined around payloads, so that they pass through untouched.

export function emptyText(): string {
  return '{}';
}

export function publishText({ offset, epoch, id }: PublishResult): string {
  const idText = id === undefined ? '' : `"id":"${id}"`;
  if (offset === undefined) return `{${idText}}`;
  return `{"offset":${offset},"epoch":"${epoch}"${idText === '' ? '' : `,${idText}`}}`;
}

export function presenceText(members: ReadonlyMap<string, ClientInfo>): string {
  const entries = [...members].map(([id, info]) => `${JSON.stringify(id)}:${infoText(info)}`);
  return `{"presence":{${entries.join(',')}}}`;
}

export function presenceStatsText({ clients, users }: PresenceStats): string {
  return JSON.stringify({ num_clients: clients, num_users: users });
}

export function historyText({ publications, epoch, offset }: HistoryPage): string {
  const texts = publications.map(publicationText).join(',');
  return `{"publications":[${texts}],"epoch":${JSON.stringify(epoch)},"offset":${offset}}`;
}

export function channelsText(counts: ReadonlyMap<string, number>): string {
  const entries = [...counts].map(([name, count]) => [name, { num_clients: count }] as const);
  return JSON.stringify({ channels: Object.fromEntries(entries) });
}

export function infoResultText(nodes: readonly NodeInfo[]): string {
  return JSON.stringify({ nodes: nodes.map(describeNode) });
}

/** Data that is not JSON is written in base64. */
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

/** Clients with the binary encoding may have info that is not JSON. It cannot be shown here. */
function memberText(name: string, info: Buffer | undefined): string {
  return info !== undefined && isJson(info) ? `,"${name}":${onOneLine(info).toString()}` : '';
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
    // Over the whole life of the node; Centrifugo reports the last minute.
    metrics: { interval: uptime, items: metrics },
    process,
    num_subs: numSubs,
  };
}
