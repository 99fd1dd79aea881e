import type { CommandTarget, SubscriptionOverride } from '../../delivery/index.js';
import { isJson } from '../../json/index.js';
import type { MessageFormat } from '../../message/index.js';
import type * as connections from '../operations/connection-commands.js';
import type { Draft } from '../operations/publishing.js';
import type { PublicationTerms } from '../push/push-request.js';
import type { TriggerOptions } from '../trigger.options.js';
import type { ApiOptions } from './api.options.js';
import { ApiRefusal, apiFaults, badRequest } from './api.errors.js';
import type {
  DisconnectRequest,
  OverrideFields,
  PublicationFields,
  RefreshRequest,
  SubscribeRequest,
  TargetFields,
  UnsubscribeRequest,
} from './requests.js';
import { readRoute } from './route.js';

// Turns decoded requests of the API into requests of operations.

const MAX_VERSION_EPOCH = 255;

interface Payload {
  readonly data: Buffer;
  readonly format: MessageFormat;
}

/** @throws ApiRefusal, and what {@link readRoute} throws */
export function draftOf(
  fields: PublicationFields,
  { maxDelayMs, idempotency, api }: TriggerOptions,
  traceparent: string | undefined,
): Draft {
  const payload = payloadOf(fields.data, fields.b64data);
  if (payload === undefined) throw new ApiRefusal(apiFaults.badRequest);
  const { data, format } = payload;
  checkTags(fields.tags, api);
  checkLength('idempotency_key', fields.idempotencyKey, idempotency.maxKeyLength);
  checkLength('version_epoch', fields.versionEpoch, MAX_VERSION_EPOCH);
  return { data, format, terms: termsOf(fields), route: readRoute(fields, maxDelayMs), traceparent };
}

/** A history stores them with each publication. */
function checkTags(tags: ReadonlyMap<string, string>, { maxTags, maxTagsBytes }: ApiOptions): void {
  if (tags.size === 0) return;
  let bytes = 0;
  for (const [name, value] of tags) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (tags.size > maxTags || bytes > maxTagsBytes)
    throw badRequest(
      `tags: ${tags.size} with ${bytes} bytes together, and at most ${maxTags} (api.maxTags) with ${maxTagsBytes} bytes ` +
        '(api.maxTagsBytes) are accepted',
    );
}

function checkLength(name: string, text: string, max: number): void {
  if (text.length > max)
    throw badRequest(`${name} has ${text.length} characters: at most ${max} are accepted`);
}

/** Undefined if the request has none, which is the usual case. */
function termsOf(fields: PublicationFields): PublicationTerms | undefined {
  const { tags, skipHistory, idempotencyKey, version, versionEpoch, delta } = fields;
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

/** @throws ApiRefusal */
export function subscribeRequestOf(fields: SubscribeRequest): connections.SubscribeRequest {
  const { channel, expireAt, recoverSince, override } = fields;
  const info = payloadOf(fields.info, fields.b64info)?.data;
  const data = payloadOf(fields.data, fields.b64data)?.data;
  return {
    ...targetOf(fields),
    channel,
    ...(info !== undefined ? { info } : {}),
    ...(data !== undefined ? { data } : {}),
    ...expiryOf(expireAt),
    ...(recoverSince !== undefined ? { recoverSince } : {}),
    ...(override !== undefined ? { override: overrideOf(override) } : {}),
  };
}

export function unsubscribeRequestOf(fields: UnsubscribeRequest): connections.UnsubscribeRequest {
  return { ...targetOf(fields), channel: fields.channel };
}

export function disconnectRequestOf(fields: DisconnectRequest): connections.DisconnectRequest {
  const { whitelist, disconnect } = fields;
  return {
    ...targetOf(fields),
    ...(whitelist.length > 0 ? { whitelist } : {}),
    ...(disconnect !== undefined && disconnect.code !== 0 ? { disconnect } : {}),
  };
}

export function refreshRequestOf(fields: RefreshRequest): connections.RefreshRequest {
  const { expired, expireAt, info } = fields;
  return {
    ...targetOf(fields),
    expired,
    ...expiryOf(expireAt),
    ...(info !== undefined ? { info } : {}),
  };
}

function targetOf({ user, client, session }: TargetFields): CommandTarget {
  return { user, ...(client !== '' ? { client } : {}), ...(session !== '' ? { session } : {}) };
}

/** @param expireAt Unix time in seconds; 0: never */
function expiryOf(expireAt: number): { readonly expiresAt?: number } {
  return expireAt > 0 ? { expiresAt: expireAt * 1000 } : {};
}

function overrideOf(fields: OverrideFields): SubscriptionOverride {
  const given = Object.entries(fields).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given.map(([name, field]: [string, { value: boolean }]) => [name, field.value]));
}

/**
 * Returns the payload of a field, or of its counterpart in base64, which takes precedence. Undefined if both are absent.
 * @throws ApiRefusal if the counterpart is not base64
 */
function payloadOf(json: Buffer | undefined, base64: string): Payload | undefined {
  if (base64 === '') return json === undefined ? undefined : { data: json, format: 'json' };
  const data = Buffer.from(base64, 'base64');
  if (data.toString('base64') !== base64) throw new ApiRefusal(apiFaults.badRequest);
  return { data, format: isJson(data) ? 'json' : 'binary' };
}
