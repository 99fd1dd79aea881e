import { type ChannelOptions, channelOptionNames as ourNames } from '../../delivery/index.js';
import { parseDuration } from './duration.js';

/** Options of a Centrifugo namespace that have no counterpart here, with the values that turn them off. */
const unsupported: ReadonlyMap<string, readonly unknown[]> = new Map([
  ['subscription_type', ['', 'stream']],
  ['map_clients_presence_channel_prefix', ['']],
  ['map_users_presence_channel_prefix', ['']],
  ['subscribe_stream_proxy_enabled', [false]],
  ['subscribe_stream_proxy_name', ['', 'default']],
  ['subscribe_stream_proxy_bidirectional', [false]],
]);

/** The options without a counterpart, which variables may set too. */
export const otherChannelOptions: readonly string[] = [...unsupported.keys()];

/** Options that Centrifugo accepts without a history. They have no effect there. */
const withoutEffect = ['forcePositioning', 'deltaPublish'] as const;

/** Options of subscription types that are not supported here; they have no effect on the supported type. */
const optionsOfOtherTypes: readonly string[] = ['map', 'shared_poll'];

/**
 * Our name for each option of a Centrifugo namespace, by its name in Centrifugo. Only the spelling differs: `history_ttl` with
 * the value `"300s"` is `historyTtlMs` with 300000.
 */
export const channelOptionNames: ReadonlyMap<string, keyof ChannelOptions> = new Map([
  ...ourNames.map((name) => [centrifugoName(name), name] as const),
  ['auto_cache_recovery', 'autoCacheRecover'],
]);

function centrifugoName(name: string): string {
  const plain = isDuration(name) ? name.slice(0, -2) : name;
  return plain.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}

function isDuration(name: string): boolean {
  return name.endsWith('Ms');
}

export interface TranslatedChannelOptions {
  /**
   * Our options, with the `name` of the namespace, to be validated by the schema. A value that is not a duration is left
   * unchanged, so that the schema reports it.
   */
  readonly options: Readonly<Record<string, unknown>>;
  /** Options that are set and not supported here. */
  readonly unsupported: readonly string[];
  /** Options that have no effect, because the channels keep no history. */
  readonly ineffective: readonly string[];
  /** Options that Centrifugo does not have either. */
  readonly unknown: readonly string[];
}

/** Translates the options of one Centrifugo namespace, or those for channels without a namespace. */
export function translateChannelOptions(theirs: Readonly<Record<string, unknown>>): TranslatedChannelOptions {
  const options: Record<string, unknown> = {};
  const notSupported: string[] = [];
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(theirs)) {
    if (value === null || optionsOfOtherTypes.includes(key)) continue;
    const name = key === 'name' ? key : channelOptionNames.get(key);
    if (name === undefined) {
      const valuesThatDisable = unsupported.get(key);
      if (valuesThatDisable === undefined) unknown.push(key);
      else if (!valuesThatDisable.includes(value)) notSupported.push(key);
      continue;
    }
    if (name === 'forceRecoveryMode' && value === '') continue;
    options[name] = isDuration(name) ? (parseDuration(value) ?? value) : value;
  }
  const keepsHistory = isPositive(options.historySize) && isPositive(options.historyTtlMs);
  const ineffective = keepsHistory ? [] : withoutEffect.filter((name) => options[name] === true);
  for (const name of ineffective) delete options[name];
  return { options, unsupported: notSupported, ineffective: ineffective.map(centrifugoName), unknown };
}

/** Whether a value is not zero. A value of the wrong type is reported by the schema. */
function isPositive(value: unknown): boolean {
  return value !== undefined && value !== 0;
}
