import { type MessageExtension, UndeliverableRecordError } from '../../message/index.js';
import type { HistoryOptions } from '../history/history.port.js';
import { type ClientInfo, fromClientInfoText, toClientInfoText } from '../presence/client-info.js';

/** Options of one publication that travel with its message on a queue, as an extension of the message. */
export interface QueuedPublishOptions {
  /** The client that publishes. */
  readonly info?: ClientInfo;
  /** Whether to send the publication to the subscribers without storing it in the history. */
  readonly skipHistory?: boolean;
  /** A publication with the same key in the same channel within a window is not sent again. */
  readonly idempotencyKey?: string;
  /**
   * In a channel with a history, a publication is not sent unless its version is above that of the last publication. A
   * whole number above 0.
   */
  readonly version?: number;
  /** Versions of different epochs are not compared. */
  readonly versionEpoch?: string;
  /**
   * Whether subscribers may receive the difference from the previous publication. Absent: the channel's options decide.
   */
  readonly delta?: boolean;
}

export interface PublishOptions extends QueuedPublishOptions {
  /** The history to store the publication in. Absent: the channel's options decide. */
  readonly history?: HistoryOptions;
}

const headers = {
  info: 'carillon-info',
  skipHistory: 'carillon-skip-history',
  idempotencyKey: 'carillon-idempotency-key',
  version: 'carillon-data-version',
  versionEpoch: 'carillon-data-version-epoch',
  delta: 'carillon-delta',
} as const satisfies Record<keyof QueuedPublishOptions, string>;

/** Returns undefined if no option is set. */
export function toMessageExtension(options: QueuedPublishOptions): MessageExtension | undefined {
  const { info, skipHistory, idempotencyKey, version, versionEpoch, delta } = options;
  const extension: Record<string, string> = {};
  if (info !== undefined) extension[headers.info] = toClientInfoText(info);
  if (skipHistory !== undefined) extension[headers.skipHistory] = String(skipHistory);
  if (idempotencyKey !== undefined) extension[headers.idempotencyKey] = idempotencyKey;
  if (version !== undefined) extension[headers.version] = String(version);
  if (versionEpoch !== undefined) extension[headers.versionEpoch] = versionEpoch;
  if (delta !== undefined) extension[headers.delta] = String(delta);
  return Object.keys(extension).length === 0 ? undefined : extension;
}

/**
 * Reads what {@link toMessageExtension} wrote. Ignores headers that are not publish options.
 * @throws {UndeliverableRecordError} one of the headers is malformed
 */
export function fromMessageExtension(
  extension: MessageExtension | undefined,
): QueuedPublishOptions | undefined {
  if (extension === undefined) return undefined;
  const info = read(extension, 'info', fromClientInfoText, 'a client as JSON');
  const skipHistory = read(extension, 'skipHistory', toBoolean, 'true or false');
  const idempotencyKey = read(extension, 'idempotencyKey', toText, 'text');
  const version = read(extension, 'version', toVersion, 'a whole number above 0');
  const versionEpoch = read(extension, 'versionEpoch', toText, 'text');
  const delta = read(extension, 'delta', toBoolean, 'true or false');
  return {
    ...(info === undefined ? {} : { info }),
    ...(skipHistory === undefined ? {} : { skipHistory }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(version === undefined ? {} : { version }),
    ...(versionEpoch === undefined ? {} : { versionEpoch }),
    ...(delta === undefined ? {} : { delta }),
  };
}

/** Delayed messages that an earlier version stored have the name of the option in place of the header. */
function read<Value>(
  extension: MessageExtension,
  option: keyof typeof headers,
  parse: (text: string) => Value | undefined,
  expected: string,
): Value | undefined {
  const text = extension[headers[option]] ?? extension[option];
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === undefined) throw new UndeliverableRecordError(`header ${headers[option]} is not ${expected}`);
  return value;
}

function toText(text: string): string {
  return text;
}

function toBoolean(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function toVersion(text: string): number | undefined {
  const number = Number(text);
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(number) ? number : undefined;
}
