import { createHash } from 'node:crypto';
import { Semaphore } from '../../async/index.js';
import type { Message } from '../../message/index.js';
import type { ChannelsOptions } from '../channels/channel-options.js';
import { ChannelRules, type ChannelRule } from '../channels/channel-rules.js';
import type { PublishOptions } from '../publications/publish-options.js';
import type { HistoryOptions, HistoryPage, HistoryQuery, PublishConditions } from './history.port.js';
import { History } from './history.port.js';

/**
 * A message to be published. It has no id if no copy of it can arrive by another path: recognizing duplicates would
 * cost as much as sending it.
 */
export type PublishableMessage = Omit<Message, 'id' | 'extension'> & Partial<Pick<Message, 'id'>>;

/** A {@link HistoryQuery}. If `metaTtlMs` is absent, the options of the channel decide; without `maxBytes`, `responseMaxBytes` holds. */
export type ChannelHistoryQuery = Omit<HistoryQuery, 'metaTtlMs'> & { readonly metaTtlMs?: number };

export interface ChannelHistoryOptions {
  readonly channels: ChannelsOptions;
  readonly idempotencyWindowMs: number;
  readonly responseMaxBytes: number;
  /** How long a message id is remembered. */
  readonly deduplicationWindowMs: number;
}

/**
 * The history remembers an id for longer than the processes do. Otherwise a process could drop as a duplicate what the
 * history has given another offset, and the missing offset would look like a loss.
 */
const ID_WINDOW_FACTOR = 1.5;

/** Pages that are read at a time. Each may have the largest size. */
const CONCURRENT_PAGES = 32;

/** Applies the options of channels to their histories. */
export class ChannelHistory {
  readonly #optionsByRule = new Map<ChannelRule, HistoryOptions>();
  readonly #storesAnything: boolean;
  readonly #semaphore = new Semaphore(CONCURRENT_PAGES);
  /**
   * Reads of a position that start after this turn of the event loop, by channel: many subscribers ask for the same one
   * in one turn. A read that has started is not shared, because a later caller may need what was published in between.
   */
  readonly #positions = new Map<string, Promise<HistoryPage>>();

  constructor(
    readonly history: History,
    private readonly rules: ChannelRules,
    private readonly options: ChannelHistoryOptions,
  ) {
    const { withoutNamespace, namespaces } = options.channels;
    this.#storesAnything = [withoutNamespace, ...namespaces].some(({ historySize }) => historySize > 0);
  }

  /** Largest size of the publications in one reply to a client, in bytes. */
  get responseMaxBytes(): number {
    return this.options.responseMaxBytes;
  }

  /** Returns whether the options of the channel allow deltas for publications that do not say so themselves. */
  publishesDelta(channel: string): boolean {
    return this.#ruleOf(channel)?.options.deltaPublish ?? false;
  }

  /** Returns the conditions for a message, or undefined if it is sent unconditionally and not stored. */
  conditionsFor(message: PublishableMessage, options: PublishOptions = {}): PublishConditions | undefined {
    const { channel, id } = message;
    const { skipHistory = false, idempotencyKey: key } = options;
    const history = skipHistory ? undefined : (options.history ?? this.#optionsOf(channel));
    if (key !== undefined) {
      const ttlMs = this.options.idempotencyWindowMs;
      return { idempotency: { key: `key:${bounded(key)}`, ttlMs }, ...storing(options, history) };
    }
    if (history === undefined) return undefined;
    if (id === undefined) return storing(options, history);
    const ttlMs = ID_WINDOW_FACTOR * this.options.deduplicationWindowMs;
    return { idempotency: { key: `id:${bounded(id)}`, ttlMs }, ...storing(options, history) };
  }

  read(channel: string, query: ChannelHistoryQuery): Promise<HistoryPage> {
    const metaTtlMs = query.metaTtlMs ?? this.#metaTtlMsOf(channel);
    const maxBytes = query.maxBytes ?? this.options.responseMaxBytes;
    if (query.limit !== 0 || query.since !== undefined)
      return this.#semaphore.run(() => this.history.read(channel, { ...query, metaTtlMs, maxBytes }));
    const pending = this.#positions.get(channel);
    if (pending !== undefined) return pending;
    const reading = Promise.resolve().then(() => {
      this.#positions.delete(channel);
      return this.history.read(channel, { ...query, metaTtlMs, maxBytes });
    });
    this.#positions.set(channel, reading);
    return reading;
  }

  #metaTtlMsOf(channel: string): number {
    return this.#optionsOf(channel)?.metaTtlMs ?? this.options.channels.historyMetaTtlMs;
  }

  #optionsOf(channel: string): HistoryOptions | undefined {
    const rule = this.#ruleOf(channel);
    if (rule === undefined) return undefined;
    let found = this.#optionsByRule.get(rule);
    if (found === undefined) {
      const { historySize, historyTtlMs } = rule.options;
      found = { size: historySize, ttlMs: historyTtlMs, metaTtlMs: rule.historyMetaTtlMs };
      this.#optionsByRule.set(rule, found);
    }
    return found;
  }

  /** Returns the rule of a channel with a history. */
  #ruleOf(channel: string): ChannelRule | undefined {
    if (!this.#storesAnything) return undefined;
    const rule = this.rules.find(channel);
    return typeof rule === 'object' && rule.keepsHistory ? rule : undefined;
  }
}

const MAX_KEY_LENGTH = 255;

/** Returns a digest in place of a long key: records of other programs may have any, and stores are limited in the number of keys. */
function bounded(key: string): string {
  return key.length > MAX_KEY_LENGTH ? createHash('sha256').update(key).digest('base64url') : key;
}

function storing(
  { version = 0, versionEpoch = '' }: PublishOptions,
  history: HistoryOptions | undefined,
): PublishConditions {
  if (history === undefined) return {};
  return version === 0 ? { history } : { history, version: { number: version, epoch: versionEpoch } };
}
