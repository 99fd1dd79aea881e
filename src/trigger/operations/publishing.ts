import { Injectable } from '@nestjs/common';
import { acceptsData, ChannelRules, Delivery, type PublishableMessage } from '../../delivery/index.js';
import { newMessageId, type MessageFormat } from '../../message/index.js';
import type { PublicationTerms } from '../push/push-request.js';
import type { Timing } from '../push/timing.js';
import { Trigger } from '../push/trigger.js';
import { ruleOf } from './channel-rule.js';
import { InvalidPayloadError, NotAvailableError } from './operations.errors.js';

/** How a publication reaches delivery: directly, through the instant lane, or through the delayed lane until it is due. */
export interface Route {
  readonly lane: 'direct' | 'instant' | 'delayed';
  /** The due time, for the delayed lane. */
  readonly timing?: Timing;
  readonly expiresInMs?: number;
}

/** The publication of one request, in one channel or in several. */
export interface Draft {
  readonly data: Buffer;
  readonly format: MessageFormat;
  readonly terms: PublicationTerms | undefined;
  /** Undefined: directly, and without an id. An id is needed only if a copy may arrive another way. */
  readonly route: Route | undefined;
  /** Valid W3C trace context. */
  readonly traceparent: string | undefined;
}

export interface PublishResult {
  /** The position in the history. Absent: the channel has no history, or the message is not due yet. */
  readonly offset?: number;
  readonly epoch?: string;
  /** The message id. Present if the request has a route. */
  readonly id?: string;
}

/** Channels of a broadcast to which a message is published in one turn of the event loop. */
const CHANNELS_AT_ONCE = 256;

const NO_RESULT: PublishResult = {};

/** Publishes in channels, directly or through the lanes, and removes what was published. */
@Injectable()
export class Publishing {
  constructor(
    private readonly delivery: Delivery,
    private readonly rules: ChannelRules,
    private readonly trigger: Trigger,
  ) {}

  /**
   * Not an async function, because it is the hot path: it may throw before it returns a promise.
   * @throws InvalidChannelError, UnknownNamespaceError, InvalidPayloadError, and what `Delivery.publish` or
   *   `Trigger.push` throws
   */
  publish(channel: string, draft: Draft): Promise<PublishResult> {
    const { publicationDataFormat } = ruleOf(this.rules, channel).options;
    const { data, format, terms, route, traceparent } = draft;
    if (!acceptsData(publicationDataFormat, data))
      throw new InvalidPayloadError(channel, publicationDataFormat);
    if (route !== undefined && route.lane !== 'direct') return this.#enqueue(channel, draft, route);
    const createdAt = Date.now();
    const id = route === undefined ? undefined : newMessageId();
    const message: PublishableMessage = {
      channel,
      data,
      format,
      createdAt,
      ...(terms?.tags !== undefined ? { tags: terms.tags } : {}),
      ...(id !== undefined ? { id } : {}),
      ...(route?.expiresInMs !== undefined ? { expiresAt: createdAt + route.expiresInMs } : {}),
      ...(traceparent !== undefined ? { traceparent } : {}),
    };
    return this.delivery
      .publish(message, 'direct', terms)
      .then((position) => (id === undefined ? (position ?? NO_RESULT) : { ...position, id }));
  }

  /**
   * Publishes in each channel independently, in several turns of the event loop. Never rejects: the results are in the order of the
   * channels.
   */
  async broadcast(channels: readonly string[], draft: Draft): Promise<PromiseSettledResult<PublishResult>[]> {
    const results: PromiseSettledResult<PublishResult>[] = [];
    for (let from = 0; from < channels.length; from += CHANNELS_AT_ONCE) {
      if (from > 0) await new Promise((resolve) => setImmediate(resolve));
      const some = channels.slice(from, from + CHANNELS_AT_ONCE);
      results.push(...(await Promise.allSettled(some.map(async (channel) => this.publish(channel, draft)))));
    }
    return results;
  }

  /**
   * Removes the publications of a channel from its history. Offset and epoch stay.
   * @throws InvalidChannelError, UnknownNamespaceError, NotAvailableError, BrokerUnavailableError
   */
  async removeHistory(channel: string): Promise<void> {
    if (!ruleOf(this.rules, channel).keepsHistory) throw new NotAvailableError(channel, 'history');
    await this.delivery.removeHistory(channel);
  }

  /** The position in the history is unknown until the message is due. */
  async #enqueue(
    channel: string,
    { data, format, terms, traceparent }: Draft,
    { timing, expiresInMs }: Route,
  ): Promise<PublishResult> {
    const key = terms?.idempotencyKey;
    const { copies } = await this.trigger.push({
      channel,
      data,
      format,
      instant: timing === undefined,
      ...(timing !== undefined ? { delayed: timing } : {}),
      ...(expiresInMs !== undefined ? { expiresInMs } : {}),
      ...(traceparent !== undefined ? { traceparent } : {}),
      ...(terms !== undefined ? { terms } : {}),
      ...(key !== undefined ? { idempotencyKey: `api/${channel}/${key}` } : {}),
    });
    const [copy] = copies;
    return copy === undefined ? NO_RESULT : { id: copy.id };
  }
}
