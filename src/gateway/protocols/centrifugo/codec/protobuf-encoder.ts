import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ReplyError } from '../centrifugo.errors.js';
import { pushes, replyError, results, type Slot } from './reply-schemas.js';
import type { AnsweredMethod, Publication, Pushes, PushKind, Results } from './replies.js';
import { entriesOf, type Field, type Schema, type StringKeyed } from '../../../../schema/index.js';

/** Field numbers of the messages Reply and Push, and of the entries of a map. */
const REPLY_ID = 1;
const REPLY_ERROR = 2;
const REPLY_PUSH = 4;
const PUSH_CHANNEL = 2;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** An empty reply, preceded by its length. */
export const protobufPing = Buffer.from([0]);

const errorSlot: Slot<ReplyError> = { no: REPLY_ERROR, schema: replyError };

export function encodeProtobufResult<M extends AnsweredMethod>(
  id: number,
  method: M,
  result: Results[M],
): Buffer {
  return encodeReply(id, results[method], result);
}

export function encodeProtobufError(id: number, error: ReplyError): Buffer {
  return encodeReply(id, errorSlot, error);
}

export function encodeProtobufPush<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): Buffer {
  return framed((writer) => {
    writer.tag(REPLY_PUSH, WireType.LengthDelimited).fork();
    if (channel !== '') writer.tag(PUSH_CHANNEL, WireType.LengthDelimited).string(channel);
    writeNested(writer, pushes[kind].no, pushes[kind].schema, body);
    writer.join();
  });
}

export function encodeProtobufPublicationPush(channel: string, publication: Publication): Buffer {
  return encodeProtobufPush('pub', channel, publication);
}

function encodeReply<T extends object>(id: number, slot: Slot<T>, body: T): Buffer {
  return framed((writer) => {
    writer.tag(REPLY_ID, WireType.Varint).uint32(id);
    writeNested(writer, slot.no, slot.schema, body);
  });
}

/** All messages share one writer, which reuses its memory. This works because encoding never yields. */
let shared: BinaryWriter | undefined;
const KEPT_BYTES = 65_536;

/** Encodes a message, preceded by its length. */
function framed(write: (writer: BinaryWriter) => void): Buffer {
  // The writer is put back only after a success: a failed or very long message must not leave its state behind.
  const writer = shared ?? new BinaryWriter();
  shared = undefined;
  write(writer.fork());
  const bytes = writer.join().finish();
  if (bytes.length <= KEPT_BYTES) shared = writer;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeNested(writer: BinaryWriter, no: number, schema: Schema, message: object): void {
  writer.tag(no, WireType.LengthDelimited).fork();
  const values = message as Readonly<Record<string, unknown>>;
  for (const field of schema.fields) {
    const value = values[field.name];
    if (value !== undefined && value !== 0 && value !== '' && value !== false)
      writeField(writer, field, value);
  }
  writer.join();
}

function writeField(writer: BinaryWriter, field: Field, value: unknown): void {
  if (field.many === 'no') writeValue(writer, field.no, field, value);
  else if (field.many === 'list') {
    for (const element of value as readonly unknown[]) writeValue(writer, field.no, field, element);
  } else {
    for (const [key, element] of entriesOf(value as StringKeyed)) {
      writer.tag(field.no, WireType.LengthDelimited).fork();
      writer.tag(ENTRY_KEY, WireType.LengthDelimited).string(key);
      writeValue(writer, ENTRY_VALUE, field, element);
      writer.join();
    }
  }
}

function writeValue(writer: BinaryWriter, no: number, field: Field, value: unknown): void {
  switch (field.kind) {
    case 'message':
      return writeNested(writer, no, field.of!(), value as object);
    case 'payload':
      writer.tag(no, WireType.LengthDelimited).bytes(value as Uint8Array);
      return;
    case 'string':
      writer.tag(no, WireType.LengthDelimited).string(value as string);
      return;
    default:
      writeNumber(writer.tag(no, WireType.Varint), field, value as number);
  }
}

function writeNumber(writer: BinaryWriter, field: Field, value: number): void {
  switch (field.kind) {
    case 'bool':
      writer.bool(true);
      return;
    case 'uint32':
      writer.uint32(value);
      return;
    case 'int32':
      writer.int32(value);
      return;
    case 'sint64':
      writer.sint64(value);
      return;
    default:
      // Small numbers have the same bytes in 32 and 64 bits, and the 64-bit writer would convert them to BigInt.
      if (value >= 0 && value <= 0xffffffff) writer.uint32(value);
      else writer.int64(value);
  }
}
