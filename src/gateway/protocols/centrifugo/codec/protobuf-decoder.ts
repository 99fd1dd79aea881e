import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { MALFORMED, type FrameReader } from './codec.js';
import { commandOf } from './command-envelope.js';
import type { Command } from './commands.js';
import { MalformedError } from '../centrifugo.errors.js';
import { requests } from './request-schemas.js';
import { clamp, MAX_MESSAGE_DEPTH, type Field, type Schema } from '../../../../schema/index.js';

const COMMAND_ID = 1;

/** The ranks of the requests by their number in the message Command. */
const ranks: readonly (number | undefined)[] = requests.reduce<number[]>((byNumber, { no }, rank) => {
  byNumber[no] = rank;
  return byNumber;
}, []);

/** Reads commands, each preceded by its length as a varint. */
export class ProtobufFrameReader implements FrameReader {
  readonly #reader: BinaryReader;
  #isOver = false;

  constructor(frame: Buffer) {
    this.#reader = new BinaryReader(frame);
  }

  get bytesLeft(): number {
    return this.#isOver ? 0 : this.#reader.len - this.#reader.pos;
  }

  next(): Command | typeof MALFORMED | undefined {
    const reader = this.#reader;
    if (this.#isOver) return undefined;
    try {
      if (reader.len === 0) throw new MalformedError('the frame is empty');
      const command = readCommand(reader, endOf(reader, reader.len));
      this.#isOver = reader.pos >= reader.len;
      return command;
    } catch {
      // The reader throws plain errors for malformed bytes.
      this.#isOver = true;
      return MALFORMED;
    }
  }
}

/** Reads a length and returns the position where the content ends. */
function endOf(reader: BinaryReader, limit: number): number {
  const end = reader.uint32() + reader.pos;
  if (end > limit) throw new MalformedError('a length exceeds the frame');
  return end;
}

function readCommand(reader: BinaryReader, end: number): Command {
  let id = 0;
  let rank = requests.length;
  let request: object | undefined;
  while (reader.pos < end) {
    const [no, type] = reader.tag();
    const candidate = ranks[no];
    if (no === COMMAND_ID) {
      expectType(type, WireType.Varint);
      id = reader.uint32();
    } else if (candidate === undefined) {
      reader.skip(type, no);
    } else {
      expectType(type, WireType.LengthDelimited);
      const message = readMessage(reader, endOf(reader, end), requests[candidate]!.schema, 1);
      if (candidate <= rank) {
        rank = candidate;
        request = message;
      }
    }
  }
  expectEnd(reader, end);
  return commandOf(id, requests[rank]?.method, request);
}

function readMessage<T extends object>(
  reader: BinaryReader,
  end: number,
  schema: Schema<T>,
  depth: number,
): T {
  if (depth > MAX_MESSAGE_DEPTH) throw new MalformedError('nested too deeply');
  const message: Record<string, unknown> = Object.assign({}, schema.zero);
  while (reader.pos < end) {
    const [no, type] = reader.tag();
    const field = schema.numbers[no];
    if (field === undefined) reader.skip(type, no);
    else if (field.many === 'no') message[field.name] = readValue(reader, type, end, field, depth);
    else if (field.many === 'list') {
      // The zero value is shared by all messages: the first element makes a list of this one's own.
      const list = message[field.name] as unknown[];
      const element = readValue(reader, type, end, field, depth);
      if (list.length === 0) message[field.name] = [element];
      else list.push(element);
    } else {
      expectType(type, WireType.LengthDelimited);
      const map = message[field.name] as Map<string, unknown>;
      const [key, value] = readEntry(reader, endOf(reader, end), field, depth);
      if (map.size === 0) message[field.name] = new Map([[key, value]]);
      else map.set(key, value);
    }
  }
  expectEnd(reader, end);
  return message as T;
}

function readEntry(reader: BinaryReader, end: number, field: Field, depth: number): [string, unknown] {
  let key = '';
  let value: unknown = field.of === undefined ? '' : field.of().zero;
  while (reader.pos < end) {
    const [no, type] = reader.tag();
    if (no === 1) {
      expectType(type, WireType.LengthDelimited);
      key = reader.string(true);
    } else if (no === 2) value = readValue(reader, type, end, field, depth);
    else reader.skip(type, no);
  }
  expectEnd(reader, end);
  return [key, value];
}

function readValue(reader: BinaryReader, type: WireType, end: number, field: Field, depth: number): unknown {
  switch (field.kind) {
    case 'string':
      expectType(type, WireType.LengthDelimited);
      return reader.string(true);
    case 'payload': {
      expectType(type, WireType.LengthDelimited);
      const bytes = reader.bytes();
      return bytes.length === 0 ? undefined : bytes;
    }
    case 'message':
      expectType(type, WireType.LengthDelimited);
      return readMessage(reader, endOf(reader, end), field.of!(), depth + 1);
    default:
      expectType(type, WireType.Varint);
      return readNumber(reader, field);
  }
}

function readNumber(reader: BinaryReader, field: Field): number | boolean {
  switch (field.kind) {
    case 'bool':
      return reader.bool();
    case 'uint32':
      return reader.uint32();
    case 'int32':
      return reader.int32();
    case 'uint64':
      return clamp(Number(reader.uint64()));
    case 'sint64':
      return clamp(Number(reader.sint64()));
    case 'wideUint64':
      return Number(reader.uint64());
    case 'wideInt64':
      return Number(reader.int64());
    default:
      return clamp(Number(reader.int64()));
  }
}

function expectType(type: WireType, expected: WireType): void {
  if (type !== expected) throw new MalformedError('a field has the wrong wire type');
}

/** A field must not end after the message that contains it. */
function expectEnd(reader: BinaryReader, end: number): void {
  if (reader.pos !== end) throw new MalformedError('a field ends after its message');
}
