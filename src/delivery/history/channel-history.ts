import type { Message } from '../../message/index.js';
import type { ChannelsOptions } from '../channels/channel-options.js';
import { ChannelRules, type ChannelRule } from '../channels/channel-rules.js';
import type { PublishOptions } from '../publications/publish-options.js';
import type { HistoryOptions, HistoryPage, HistoryQuery, PublishConditions } from './history.port.js';
import { History } from './history.port.js';

/**
 * A message as it is to be published. It has no id where no copy of it can come another way: telling it from itself would cost as
 * much as sending it.
 */
export type PublishableMessage = Omit<Message, 'id'> & Partial<Pick<Message, 'id'>>;

/** As {@link HistoryQuery}, with the channel's own value where `metaTtlMs` is absent. */
export type ChannelHistoryQuery = Omit<HistoryQuery, 'metaTtlMs'> & { readonly metaTtlMs?: number };

export interface ChannelHistoryOptions {
  readonly channels: ChannelsOptions;
  readonly idempotencyWindowMs: number;
  /** For how long a message that came once is not taken again, told by its id. */
  readonly deduplicationWindowMs: number;
}

/** The history remembers an id for longer than any process does: a place that a process drops as known would look like a loss. */
const MEMORY_OF_IDS = 1.5;

/** Joins the options of channels with what is kept of them. */
export class ChannelHistory {
  readonly #optionsByRule = new Map<ChannelRule, HistoryOptions>();
  readonly #keepsAnything: boolean;
  /**
   * Reads of a position that begin after this turn, by channel: many subscribers ask for the same one in one turn. One that has
   * begun is not shared: who asks later may need what came in between.
   */
  readonly #positions = new Map<string, Promise<HistoryPage>>();

  constructor(
    readonly history: History,
    private readonly rules: ChannelRules,
    private readonly options: ChannelHistoryOptions,
  ) {
    const { withoutNamespace, namespaces } = options.channels;
    this.#keepsAnything = [withoutNamespace, ...namespaces].some(({ historySize }) => historySize > 0);
  }

  /** Whether subscribers of the channel may get differences where neither caller nor message says so. */
  publishesDelta(channel: string): boolean {
    return this.#ruleOf(channel)?.options.deltaPublish ?? false;
  }

  /** The terms for a message; `undefined` where it is simply to be sent. */
  termsFor(message: PublishableMessage, options: PublishOptions = {}): PublishConditions | undefined {
    const { channel, id } = message;
    const { skipHistory = false, idempotencyKey: key } = options;
    const history = skipHistory ? undefined : (options.history ?? this.#optionsOf(channel));
    if (key !== undefined) {
      const ttlMs = this.options.idempotencyWindowMs;
      return { idempotency: { key: `key:${key}`, ttlMs }, ...historyTerms(options, history) };
    }
    if (history === undefined) return undefined;
    if (id === undefined) return historyTerms(options, history);
    const ttlMs = MEMORY_OF_IDS * this.options.deduplicationWindowMs;
    return { idempotency: { key: `id:${id}`, ttlMs }, ...historyTerms(options, history) };
  }

  read(channel: string, query: ChannelHistoryQuery): Promise<HistoryPage> {
    const metaTtlMs = query.metaTtlMs ?? this.#metaTtlMsOf(channel);
    if (query.limit !== 0 || query.since !== undefined)
      return this.history.read(channel, { ...query, metaTtlMs });
    const pending = this.#positions.get(channel);
    if (pending !== undefined) return pending;
    const reading = Promise.resolve().then(() => {
      this.#positions.delete(channel);
      return this.history.read(channel, { ...query, metaTtlMs });
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

  /** The rule of a channel that keeps a history. */
  #ruleOf(channel: string): ChannelRule | undefined {
    if (!this.#keepsAnything) return undefined;
    const rule = this.rules.find(channel);
    return typeof rule === 'object' && rule.keepsHistory ? rule : undefined;
  }
}

function historyTerms(
  { version = 0, versionEpoch = '' }: PublishOptions,
  history: HistoryOptions | undefined,
): PublishConditions {
  if (history === undefined) return {};
  return version === 0 ? { history } : { history, version: { number: version, epoch: versionEpoch } };
}
