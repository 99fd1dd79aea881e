import { isUtf8 } from 'node:buffer';
import { JsonScanner, KeyTable, MalformedJsonError } from '../../../../json/index.js';
import type { DecodedFrame } from './codec.js';
import { clamp, commandOf, MAX_MESSAGE_DEPTH } from './command-envelope.js';
import type { Command } from './commands.js';
import { MalformedError } from '../centrifugo.errors.js';
import { requests } from './request-schemas.js';
import { snakeCase, type Field, type Schema } from './schema.js';

const UINT32_MAX = 0xffffffff;
const INT32_MAX = 0x7fffffff;
const NEWLINE = 0x0a;

/** All frames share one scanner, because decoding never yields. */
const scanner = new JsonScanner();

/**
 * The fields of a command: the id, and the requests by their rank. The first one in the order of {@link requests} is executed, but
 * the others have to be well-formed too.
 */
const commandKeys = new KeyTable([
  { name: 'id', key: 'id', no: -1, kind: 'uint32', many: 'no', of: undefined, always: false },
  ...requests.map(({ method, schema }, rank): Field => ({
    name: method,
    key: snakeCase(method),
    no: rank,
    kind: 'message',
    many: 'no',
    of: () => schema,
    always: false,
  })),
]);

/**
 * Decodes a frame: JSON objects, one per line. One newline may follow the last. Decoding stops at the first line that is not a
 * command, and returns the commands before it and the reason.
 */
export function decodeJsonFrame(frame: Buffer): DecodedFrame {
  const commands: Command[] = [];
  if (!isUtf8(frame)) return { commands, fault: 'not UTF-8' };
  try {
    let start = 0;
    do {
      const newline = frame.indexOf(NEWLINE, start);
      const end = newline < 0 ? frame.length : newline;
      commands.push(decodeLine(frame, start, end));
      start = end + 1;
    } while (start < frame.length);
    return { commands, fault: undefined };
  } catch (error) {
    if (error instanceof MalformedError || error instanceof MalformedJsonError)
      return { commands, fault: error.message };
    throw error;
  }
}

function decodeLine(frame: Buffer, start: number, end: number): Command {
  let id = 0;
  let rank = requests.length;
  let request: object | undefined;
  scanner.start(frame, start, end);
  if (!scanner.takeNull() && scanner.enterObject()) {
    do {
      const field = scanner.readKey(commandKeys);
      if (field === undefined) scanner.skip();
      else if (scanner.takeNull()) continue;
      else if (field.of === undefined) id = scanner.readInteger(0, UINT32_MAX);
      else {
        const candidate = readMessage(field.of(), 1);
        if (field.no <= rank) {
          rank = field.no;
          request = candidate;
        }
      }
    } while (scanner.nextMember());
  }
  scanner.finish();
  return commandOf(id, requests[rank]?.method, request);
}

function readMessage<T extends object>(schema: Schema<T>, depth: number): T {
  if (depth > MAX_MESSAGE_DEPTH) throw new MalformedError('nested too deeply');
  const message: Record<string, unknown> = { ...schema.zero };
  if (scanner.enterObject()) {
    do {
      const field = scanner.readKey(schema.keys);
      if (field === undefined) scanner.skip();
      else if (field.kind === 'payload') message[field.name] = scanner.readRaw();
      else if (!scanner.takeNull()) message[field.name] = readField(field, depth);
    } while (scanner.nextMember());
  }
  return message as T;
}

function readField(field: Field, depth: number): unknown {
  if (field.many === 'no') return readValue(field, depth);
  if (field.many === 'list') {
    const list: unknown[] = [];
    if (scanner.enterArray()) {
      do list.push(readElement(field, depth));
      while (scanner.nextElement());
    }
    return list;
  }
  const map = new Map<string, unknown>();
  if (scanner.enterObject()) {
    do {
      const key = scanner.readMapKey();
      map.set(key, readElement(field, depth));
    } while (scanner.nextMember());
  }
  return map;
}

function readElement(field: Field, depth: number): unknown {
  if (!scanner.takeNull()) return readValue(field, depth);
  return field.of === undefined ? '' : field.of().zero;
}

function readValue(field: Field, depth: number): unknown {
  switch (field.kind) {
    case 'string':
      return scanner.readString();
    case 'bool':
      return scanner.readBool();
    case 'uint32':
      return scanner.readInteger(0, UINT32_MAX);
    case 'int32':
      return scanner.readInteger(-INT32_MAX - 1, INT32_MAX);
    case 'uint64':
      return clamp(scanner.readInteger(0, 2 ** 64));
    case 'int64':
    case 'sint64':
      return clamp(scanner.readInteger(-(2 ** 63), 2 ** 63));
    case 'payload':
      return scanner.readRaw();
    case 'message':
      return readMessage(field.of!(), depth + 1);
  }
}
