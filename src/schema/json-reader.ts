import { MalformedJsonError, type JsonScanner } from '../json/index.js';
import type { Field, Schema } from './schema.js';

/** How deep messages may be nested. */
export const MAX_MESSAGE_DEPTH = 64;

const UINT32_MAX = 0xffffffff;
const INT32_MAX = 0x7fffffff;

/**
 * Reads a JSON object as a message. Unknown members are skipped. If a name occurs twice, the last one counts. A null counts as
 * absent, except in a payload, where it is a value.
 * @throws MalformedJsonError
 */
export function readMessage<T extends object>(scanner: JsonScanner, schema: Schema<T>, depth = 1): T {
  if (depth > MAX_MESSAGE_DEPTH) throw new MalformedJsonError('nested too deeply');
  // Object.assign, because a spread is several times slower here once messages have more than four shapes.
  const message: Record<string, unknown> = Object.assign({}, schema.zero);
  if (scanner.enterObject()) {
    do {
      const field = scanner.readKey(schema.keys);
      if (field === undefined) scanner.skip();
      else if (field.kind === 'payload') message[field.name] = scanner.readRaw();
      else if (!scanner.takeNull()) message[field.name] = readField(scanner, field, depth);
    } while (scanner.nextMember());
  }
  return message as T;
}

function readField(scanner: JsonScanner, field: Field, depth: number): unknown {
  if (field.many === 'no') return readValue(scanner, field, depth);
  if (field.many === 'list') {
    const list: unknown[] = [];
    if (scanner.enterArray()) {
      do list.push(readElement(scanner, field, depth));
      while (scanner.nextElement());
    }
    return list;
  }
  const map = new Map<string, unknown>();
  if (scanner.enterObject()) {
    do {
      const key = scanner.readMapKey();
      map.set(key, readElement(scanner, field, depth));
    } while (scanner.nextMember());
  }
  return map;
}

function readElement(scanner: JsonScanner, field: Field, depth: number): unknown {
  if (!scanner.takeNull()) return readValue(scanner, field, depth);
  return field.of === undefined ? '' : field.of().zero;
}

function readValue(scanner: JsonScanner, field: Field, depth: number): unknown {
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
    case 'wideUint64':
      return scanner.readQuotableInteger(0, 2 ** 64);
    case 'wideInt64':
      return scanner.readQuotableInteger(-(2 ** 63), 2 ** 63);
    case 'payload':
      return scanner.readRaw();
    case 'message':
      return readMessage(scanner, field.of!(), depth + 1);
  }
}

/** Limits a number to ±(2⁵³-1). Larger offsets and masks do not exist, so that the nearest exact number is good enough. */
export function clamp(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
}
