import { channelOptionNames, type ChannelOptions } from './channel-options.js';

/** Options of a Centrifugo namespace that have no counterpart here, with the values under which they ask for nothing. */
const unsupported: ReadonlyMap<string, readonly unknown[]> = new Map([
  ['subscription_type', ['', 'stream']],
  ['map_clients_presence_channel_prefix', ['']],
  ['map_users_presence_channel_prefix', ['']],
  ['subscribe_stream_proxy_enabled', [false]],
  ['subscribe_stream_proxy_name', ['', 'default']],
  ['subscribe_stream_proxy_bidirectional', [false]],
]);

/** What they say counts for subscription types that there are not here, and for nothing else. */
const ofOtherTypes: readonly string[] = ['map', 'shared_poll'];

/**
 * Our name for each option of a Centrifugo namespace. They differ in spelling only: `history_ttl` with the value `"300s"` is
 * `historyTtlMs` with 300000.
 */
export const centrifugoChannelOptions: ReadonlyMap<string, keyof ChannelOptions> = new Map([
  ...channelOptionNames.map((name) => [centrifugoName(name), name] as const),
  ['auto_cache_recovery', 'autoCacheRecover'],
]);

function centrifugoName(name: string): string {
  const plain = isDuration(name) ? name.slice(0, -2) : name;
  return plain.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}

function isDuration(name: string): boolean {
  return name.endsWith('Ms');
}

export interface TranslatedOptions {
  /** Ours, still to be validated by the schema; `name` of a namespace included. A duration that is none stays as it is. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What theirs asks for that there is not here. */
  readonly unsupported: readonly string[];
  /** What theirs has that Centrifugo does not know either. */
  readonly unknown: readonly string[];
}

/** Translates the options of one Centrifugo namespace, or those without a namespace. */
export function fromCentrifugo(theirs: Readonly<Record<string, unknown>>): TranslatedOptions {
  const options: Record<string, unknown> = {};
  const missed: string[] = [];
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(theirs)) {
    if (value === null || ofOtherTypes.includes(key)) continue;
    const name = key === 'name' ? key : centrifugoChannelOptions.get(key);
    if (name === undefined) {
      const idle = unsupported.get(key);
      if (idle === undefined) unknown.push(key);
      else if (!idle.includes(value)) missed.push(key);
      continue;
    }
    if (name === 'forceRecoveryMode' && value === '') continue;
    options[name] = isDuration(name) ? (parseDuration(value) ?? value) : value;
  }
  return { options, unsupported: missed, unknown };
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Milliseconds of a duration as Go writes it: `300s`, `1h30m`, `1.5h`, `0`. A part of a millisecond counts as a whole one. */
export function parseDuration(text: unknown): number | undefined {
  if (text === '0' || text === 0) return 0;
  if (typeof text !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g))
    milliseconds += Number(amount) * UNITS.get(unit!)!;
  return Math.ceil(milliseconds);
}
