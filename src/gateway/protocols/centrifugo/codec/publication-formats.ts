import { isUtf8 } from 'node:buffer';
import type { HistoryEntry, Publication, ClientInfo } from '../../../../delivery/index.js';
import { isJson } from '../../../../json/index.js';
import { SharedMessage } from '../../../connection/framing.js';
import {
  PublicationEncoding,
  PublicationFormat,
  unencodable,
} from '../../../connection/publication-format.js';
import type { Codec } from './codec.js';
import { createDelta } from './fossil-delta.js';
import type { Publication as WirePublication } from './replies.js';

type Encoding = Codec['encoding'];

/** The patch from the previous publication, created once for all encodings. `unencodable` if there is no previous one. */
const patches = new PublicationEncoding(({ previous, data }) =>
  previous === undefined ? unencodable : createDelta(previous, data),
);

/** How publications look to the clients of one encoding. Each form is encoded by the first subscriber that needs it. */
export class PublicationFormats {
  /** In a channel. */
  readonly plain: PublicationFormat;
  /** In a channel with deltas, for a subscriber without the previous publication. */
  readonly whole: PublicationFormat;
  /** In a channel with deltas, as a patch if that is shorter. */
  readonly patch: PublicationFormat;
  /** To a user or a connection, outside of channels. */
  readonly message: PublicationFormat;
  readonly #codec: Codec;
  #lastMovement:
    | { readonly info: ClientInfo; readonly kind: 'join' | 'leave'; readonly message: SharedMessage }
    | undefined;

  constructor(codec: Codec) {
    const { encoding, isText } = codec;
    this.#codec = codec;
    const format = (encode: (it: Publication) => Buffer) => new PublicationFormat(encode, () => isText);
    const push = ({ channel }: Publication, wire: WirePublication) =>
      codec.encodePublicationPush(channel, wire);
    const whole = (it: Publication) =>
      fits(encoding, it, true) ? push(it, onWire(it, inDelta(it.data, encoding), encoding)) : unencodable;
    this.plain = format((it) =>
      fits(encoding, it, false) ? push(it, onWireWithEpoch(it, it.epoch, encoding)) : unencodable,
    );
    this.whole = format(whole);
    this.patch = format((it) => {
      const patch = patches.of(it);
      const isWorthIt = patch !== unencodable && patch.length < it.data.length && fits(encoding, it, true);
      if (!isWorthIt) return whole(it);
      return push(it, { ...onWire(it, inDelta(patch, encoding), encoding), delta: true });
    });
    this.message = format((it) =>
      fits(encoding, it, false) ? codec.encodePush('message', '', { data: it.data }) : unencodable,
    );
  }

  /** A join or a leave. All subscribers receive it one after another, so the last one is kept. */
  ofMovement(kind: 'join' | 'leave', channel: string, info: ClientInfo): SharedMessage {
    const last = this.#lastMovement;
    if (last?.info === info && last.kind === kind) return last.message;
    const body = { info: infoOnWire(info, this.#codec.encoding) };
    const message = new SharedMessage(this.#codec.encodePush(kind, channel, body), this.#codec.isText);
    this.#lastMovement = { info, kind, message };
    return message;
  }
}

/** Whether a payload can be sent to clients with the encoding. */
export function isEncodable(encoding: Encoding, payload: Buffer | undefined): boolean {
  return encoding === 'protobuf' || payload === undefined || isJson(payload);
}

/** Whether a publication can be sent to clients with the encoding. */
function fits(
  encoding: Encoding,
  { format, data }: Pick<HistoryEntry, 'format' | 'data'>,
  withDelta: boolean,
): boolean {
  return encoding === 'protobuf' || format === 'json' || (withDelta ? isUtf8(data) : isJson(data));
}

/** Returns the publications that can be sent to clients with the encoding. */
export function encodableOf<Entry extends Pick<HistoryEntry, 'format' | 'data'>>(
  encoding: Encoding,
  publications: readonly Entry[],
  withDelta = false,
): readonly Entry[] {
  return publications.every((each) => fits(encoding, each, withDelta))
    ? publications
    : publications.filter((each) => fits(encoding, each, withDelta));
}

/** @param epoch of the channel. It is part of the first publication, for clients that begin with it. */
export function onWireWithEpoch(
  publication: Publication | HistoryEntry,
  epoch: string,
  encoding: Encoding,
): WirePublication {
  const wire = onWire(publication, publication.data, encoding);
  return publication.offset === 1 ? { ...wire, epoch } : wire;
}

/** Successive publications for a subscriber with deltas: the first in full, then each as a patch from the previous one. */
export function inDeltas(publications: readonly HistoryEntry[], encoding: Encoding): WirePublication[] {
  return publications.map((publication, at) => {
    const { data } = publication;
    const before = publications[at - 1];
    const patch = before && createDelta(before.data, data);
    if (patch === undefined || patch.length >= data.length)
      return onWire(publication, inDelta(data, encoding), encoding);
    return { ...onWire(publication, inDelta(patch, encoding), encoding), delta: true };
  });
}

/** Removes info that is not JSON for JSON clients. Tokens may contain any bytes. */
export function infoOnWire(info: ClientInfo, encoding: Encoding): ClientInfo {
  const { user, client, connInfo, chanInfo } = info;
  if (isEncodable(encoding, connInfo) && isEncodable(encoding, chanInfo)) return info;
  return {
    user,
    client,
    ...(connInfo && isJson(connInfo) && { connInfo }),
    ...(chanInfo && isJson(chanInfo) && { chanInfo }),
  };
}

function onWire(
  { offset, info, tags }: Publication | HistoryEntry,
  data: Buffer,
  encoding: Encoding,
): WirePublication {
  return { data, offset, info: info && infoOnWire(info, encoding), tags };
}

/** JSON clients receive data in a channel with deltas as a string, because patches are not JSON. */
function inDelta(data: Buffer, encoding: Encoding): Buffer {
  return encoding === 'json' ? Buffer.from(JSON.stringify(data.toString())) : data;
}
