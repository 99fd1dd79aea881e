import { deserialize, serialize } from 'node:v8';
import { type Lane, Publication, type PublicationExtras } from '../../publications/publication.js';
import type { MessageFormat } from '../../../message/index.js';
import { keptInfo } from './kept-info.js';

type Fields = [
  channel: string,
  data: Buffer,
  format: MessageFormat,
  id: string | undefined,
  createdAt: number,
  dueAt: number | undefined,
  lane: Lane,
  expiresAt: number | undefined,
  extras: PublicationExtras,
];

/** The form between processes of one program on one machine, made once for all who receive it. It is not kept anywhere. */
export function packPublication(publication: Publication): Buffer {
  const { channel, data, format, id, createdAt, dueAt, lane, expiresAt } = publication;
  const { kind, tags, info, delta, offset, epoch, previous } = publication;
  const extras = { kind, tags, info, delta, offset, epoch, previous };
  return serialize([channel, data, format, id, createdAt, dueAt, lane, expiresAt, extras] satisfies Fields);
}

/** Data and info are views of the bytes. */
export function unpackPublication(bytes: Buffer): Publication {
  return new Publication(...(deserialize(bytes) as Fields));
}

/** One whose info may be kept. A history sees to the data itself. */
export function unpackKept(bytes: Buffer): Publication {
  const fields = deserialize(bytes) as Fields;
  const extras = fields[8];
  const { info } = extras;
  if (info !== undefined) fields[8] = { ...extras, info: keptInfo(info) };
  return new Publication(...fields);
}
