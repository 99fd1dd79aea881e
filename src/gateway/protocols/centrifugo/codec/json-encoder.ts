import { onOneLine } from '../../../../json/index.js';
import type { ReplyError } from '../centrifugo.errors.js';
import { publication as publicationSchema, pushes, replyError, results } from './reply-schemas.js';
import type { AnsweredMethod, Publication, Pushes, PushKind, Results } from './replies.js';
import {
  entriesOf,
  sizeOf,
  snakeCase,
  type Field,
  type Schema,
  type StringKeyed,
} from '../../../../schema/index.js';

export const jsonPing = Buffer.from('{}');

export function encodeJsonResult<M extends AnsweredMethod>(
  id: number,
  method: M,
  result: Results[M],
): Buffer {
  return Buffer.from(`{"id":${id},"${resultKeys[method]}":${textOf(results[method].schema, result)}}`);
}

const resultKeys = Object.fromEntries(
  Object.keys(results).map((method) => [method, snakeCase(method)]),
) as Readonly<Record<AnsweredMethod, string>>;

export function encodeJsonError(id: number, error: ReplyError): Buffer {
  return Buffer.from(`{"id":${id},"error":${textOf(replyError, error)}}`);
}

export function encodeJsonPush<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): Buffer {
  const address = channel === '' ? '' : `"channel":${JSON.stringify(channel)},`;
  return Buffer.from(`{"push":{${address}"${kind}":${textOf(pushes[kind].schema, body)}}}`);
}

/** Encodes the push of a publication. The bytes of the payload are copied once and never decoded. */
export function encodeJsonPublicationPush(channel: string, publication: Publication): Buffer {
  if (!publication.data?.length) return encodeJsonPush('pub', channel, publication);
  const data = onOneLine(publication.data);
  const before = `{"push":{"channel":${JSON.stringify(channel)},"pub":{"data":`;
  const after = `${fieldsText(fieldsAfterData, publication, ',')}}}}`;
  const dataAt = Buffer.byteLength(before);
  const bytes = Buffer.allocUnsafe(dataAt + data.length + Buffer.byteLength(after));
  bytes.write(before, 0);
  bytes.set(data, dataAt);
  bytes.write(after, dataAt + data.length);
  return bytes;
}

const fieldsAfterData = publicationSchema.fields.filter(({ name }) => name !== 'data');

function textOf(schema: Schema, message: object): string {
  return `{${fieldsText(schema.fields, message, '')}}`;
}

function fieldsText(fields: readonly Field[], message: object, separator: string): string {
  const values = message as Readonly<Record<string, unknown>>;
  let text = '';
  let comma = separator;
  for (const field of fields) {
    const value = values[field.name];
    if (!field.always && isZero(field, value)) continue;
    text += `${comma}"${field.key}":${fieldText(field, value)}`;
    comma = ',';
  }
  return text;
}

function isZero(field: Field, value: unknown): boolean {
  if (value === undefined || value === 0 || value === '' || value === false) return true;
  if (field.many === 'list') return (value as readonly unknown[]).length === 0;
  if (field.many === 'map') return sizeOf(value as StringKeyed) === 0;
  return field.kind === 'payload' && (value as Buffer).length === 0;
}

function fieldText(field: Field, value: unknown): string {
  if (field.many === 'list') {
    return `[${((value ?? []) as readonly unknown[]).map((element) => valueText(field, element)).join()}]`;
  }
  if (field.many === 'map') {
    const members = entriesOf((value ?? {}) as StringKeyed);
    return `{${Array.from(members, ([key, element]) => `${JSON.stringify(key)}:${valueText(field, element)}`).join()}}`;
  }
  return valueText(field, value);
}

function valueText(field: Field, value: unknown): string {
  switch (field.kind) {
    case 'message':
      return textOf(field.of!(), value as object);
    case 'payload':
      return onOneLine(value as Buffer).toString();
    case 'string':
      return JSON.stringify(value ?? '');
    case 'bool':
      return value === true ? 'true' : 'false';
    default:
      return `${(value ?? 0) as number}`;
  }
}
