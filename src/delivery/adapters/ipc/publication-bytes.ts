import { deserialize, serialize } from 'node:v8';
import type { MessageFormat } from '../../../message/index.js';
import type { ClientInfo } from '../../presence/client-info.js';
import { type Lane, Publication, type PublicationKind } from '../../publications/publication.js';
import { copiedInfo } from './copied-info.js';

/** By position, because the names of the fields would be most of the bytes. */
type Fields = readonly [
  channel: string,
  data: Buffer,
  format: MessageFormat,
  id: string | undefined,
  createdAt: number,
  dueAt: number | undefined,
  lane: Lane,
  expiresAt: number | undefined,
  kind: PublicationKind,
  tags: Readonly<Record<string, string>> | undefined,
  info: ClientInfo | undefined,
  delta: boolean,
  offset: number,
  epoch: string,
  previous: Buffer | undefined,
];

/** Serializes a publication for other processes of the same program, once for all of them. The form is never stored. */
export function packPublication(publication: Publication): Buffer {
  const { channel, data, format, id, createdAt, dueAt, lane, expiresAt } = publication;
  const { kind, tags, info, delta, offset, epoch, previous } = publication;
  const fields: Fields = [
    channel,
    data,
    format,
    id,
    createdAt,
    dueAt,
    lane,
    expiresAt,
    kind,
    tags,
    info,
    delta,
    offset,
    epoch,
    previous,
  ];
  return serialize(fields);
}

/** The data and the client info are views of the bytes. */
export function unpackPublication(bytes: Buffer): Publication {
  const fields = deserialize(bytes) as Fields;
  return fromFields(fields, fields[10]);
}

/** Returns a publication whose client info may be stored. A history copies the data itself. */
export function unpackForStorage(bytes: Buffer): Publication {
  const fields = deserialize(bytes) as Fields;
  return fromFields(fields, fields[10] && copiedInfo(fields[10]));
}

function fromFields(fields: Fields, info: ClientInfo | undefined): Publication {
  const [channel, data, format, id, createdAt, dueAt, lane, expiresAt] = fields;
  const [, , , , , , , , kind, tags, , delta, offset, epoch, previous] = fields;
  return new Publication({
    channel,
    data,
    format,
    id,
    createdAt,
    dueAt,
    lane,
    expiresAt,
    kind,
    tags,
    info,
    delta,
    offset,
    epoch,
    previous,
  });
}
