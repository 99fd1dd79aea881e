import { Inject, Injectable } from '@nestjs/common';
import { newMessageId } from '../../message/index.js';
import {
  acceptsData,
  ChannelRules,
  Delivery,
  type PublishableMessage,
  type StreamPosition,
} from '../../delivery/index.js';
import type { PublicationTerms } from '../push/push-request.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import { Trigger } from '../push/trigger.js';
import { ApiRefusal, apiFaults } from '../centrifugo-api/api.errors.js';
import { ruleOf } from './channels.js';
import type { CommandContext } from '../centrifugo-api/command.js';
import { readItinerary, type Itinerary } from './route.js';
import { payloadOf, type Payload } from './payload.js';
import type { BroadcastRequest, PublicationFields, PublishRequest } from '../centrifugo-api/requests.js';

/** What one request publishes, in one channel or in several. */
interface Draft extends Payload {
  readonly terms: PublicationTerms | undefined;
  readonly itinerary: Itinerary | undefined;
}

/** Publications that callers of the API ask for: straight to delivery, or by the lanes. */
@Injectable()
export class Publishing {
  constructor(
    private readonly delivery: Delivery,
    private readonly rules: ChannelRules,
    private readonly trigger: Trigger,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {}

  /** Returns the result as JSON text. */
  publish(request: PublishRequest, context: CommandContext): Promise<string> {
    if (request.channel === '') throw new ApiRefusal(apiFaults.badRequest);
    return this.#send(request.channel, this.#draft(request), context);
  }

  /** Each channel has a reply of its own, in order: one that is refused leaves the others alone. */
  async broadcast(request: BroadcastRequest, context: CommandContext): Promise<string> {
    if (request.channels.length === 0) throw new ApiRefusal(apiFaults.badRequest);
    const draft = this.#draft(request);
    const replies = request.channels.map((channel) =>
      context.reply('broadcast', () => this.#send(channel, draft, context)),
    );
    return `{"responses":[${(await Promise.all(replies)).join(',')}]}`;
  }

  #draft(request: PublicationFields): Draft {
    const payload = payloadOf(request.data, request.b64data);
    if (payload === undefined) throw new ApiRefusal(apiFaults.badRequest);
    const itinerary = readItinerary(request, this.options);
    const { data, format } = payload;
    return { data, format, terms: termsOf(request), itinerary };
  }

  #send(channel: string, draft: Draft, { traceparent }: CommandContext): Promise<string> {
    const { options } = ruleOf(this.rules, channel);
    const { data, format, terms, itinerary } = draft;
    if (!acceptsData(options.publicationDataFormat, data)) throw new ApiRefusal(apiFaults.badRequest);
    if (itinerary !== undefined && itinerary.lane !== 'direct')
      return this.#hand(channel, draft, itinerary, traceparent);
    const createdAt = Date.now();
    const { expiresInMs } = itinerary ?? {};
    // Whoever asks for what only we have is told the id.
    const id = itinerary === undefined ? undefined : newMessageId();
    const message: PublishableMessage = {
      channel,
      data,
      format,
      createdAt,
      ...(terms?.tags !== undefined ? { tags: terms.tags } : {}),
      ...(id !== undefined ? { id } : {}),
      ...(expiresInMs !== undefined ? { expiresAt: createdAt + expiresInMs } : {}),
      ...(traceparent !== undefined ? { traceparent } : {}),
    };
    const sent = this.delivery.publish(message, 'direct', terms).then(positionText);
    return id === undefined ? sent : sent.then((text) => withId(text, id));
  }

  /** Gives the message to a lane. Its place in the history is not known before it is due. */
  async #hand(
    channel: string,
    { data, format, terms }: Draft,
    { timing, expiresInMs }: Itinerary,
    traceparent: string | undefined,
  ): Promise<string> {
    const { copies } = await this.trigger.push({
      channel,
      data,
      format,
      instant: timing === undefined,
      ...(timing !== undefined ? { delayed: timing } : {}),
      ...(expiresInMs !== undefined ? { expiresInMs } : {}),
      ...(traceparent !== undefined ? { traceparent } : {}),
      ...(terms !== undefined ? { terms } : {}),
      ...(terms?.idempotencyKey !== undefined
        ? { idempotencyKey: `api/${channel}/${terms.idempotencyKey}` }
        : {}),
    });
    return JSON.stringify({ id: copies[0]?.id });
  }
}

function positionText(position: StreamPosition | undefined): string {
  return position === undefined ? '{}' : `{"offset":${position.offset},"epoch":"${position.epoch}"}`;
}

function withId(result: string, id: string): string {
  return `${result.slice(0, -1)}${result === '{}' ? '' : ','}"id":"${id}"}`;
}

/** Undefined where nothing is asked for, which is the rule. */
function termsOf(request: PublicationFields): PublicationTerms | undefined {
  const { tags, skipHistory, idempotencyKey, version, versionEpoch, delta } = request;
  const isPlain = tags.size === 0 && !skipHistory && idempotencyKey === '' && version === 0 && !delta;
  if (isPlain) return undefined;
  return {
    ...(tags.size > 0 ? { tags: Object.fromEntries(tags) } : {}),
    ...(skipHistory ? { skipHistory } : {}),
    ...(idempotencyKey !== '' ? { idempotencyKey } : {}),
    ...(version > 0 ? { version } : {}),
    ...(versionEpoch !== '' ? { versionEpoch } : {}),
    ...(delta ? { delta } : {}),
  };
}
