import { onOneLine } from '../../../../json/index.js';
import type { ReplyError } from '../centrifugo.errors.js';
import { publication as publicationSchema, pushes, replyError, results } from './reply-schemas.js';
import type { AnsweredMethod, Publication, Pushes, PushKind, Results } from './replies.js';
import { jsonMembers, jsonObject, snakeCase } from '../../../../schema/index.js';

export const jsonPing = Buffer.from('{}');

export function encodeJsonResult<M extends AnsweredMethod>(
  id: number,
  method: M,
  result: Results[M],
): Buffer {
  return Buffer.from(`{"id":${id},"${resultKeys[method]}":${jsonObject(results[method].schema, result)}}`);
}

const resultKeys = Object.fromEntries(
  Object.keys(results).map((method) => [method, snakeCase(method)]),
) as Readonly<Record<AnsweredMethod, string>>;

export function encodeJsonError(id: number, error: ReplyError): Buffer {
  return Buffer.from(`{"id":${id},"error":${jsonObject(replyError, error)}}`);
}

export function encodeJsonPush<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): Buffer {
  const address = channel === '' ? '' : `"channel":${JSON.stringify(channel)},`;
  return Buffer.from(`{"push":{${address}"${kind}":${jsonObject(pushes[kind].schema, body)}}}`);
}

/** Encodes the push of a publication. The bytes of the payload are copied once and never decoded. */
export function encodeJsonPublicationPush(channel: string, publication: Publication): Buffer {
  if (!publication.data?.length) return encodeJsonPush('pub', channel, publication);
  const data = onOneLine(publication.data);
  const before = `{"push":{"channel":${JSON.stringify(channel)},"pub":{"data":`;
  const after = `${jsonMembers(fieldsAfterData, publication, ',')}}}}`;
  const dataAt = Buffer.byteLength(before);
  const bytes = Buffer.allocUnsafe(dataAt + data.length + Buffer.byteLength(after));
  bytes.write(before, 0);
  bytes.set(data, dataAt);
  bytes.write(after, dataAt + data.length);
  return bytes;
}

const fieldsAfterData = publicationSchema.fields.filter(({ name }) => name !== 'data');
