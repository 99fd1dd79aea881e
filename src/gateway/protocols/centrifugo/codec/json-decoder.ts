import { isUtf8 } from 'node:buffer';
import { JsonScanner, KeyTable, MalformedJsonError } from '../../../../json/index.js';
import { MALFORMED, type FrameReader } from './codec.js';
import { commandOf } from './command-envelope.js';
import type { Command } from './commands.js';
import { MalformedError } from '../centrifugo.errors.js';
import { requests } from './request-schemas.js';
import { readMessage, snakeCase, type Field } from '../../../../schema/index.js';

const UINT32_MAX = 0xffffffff;
const NEWLINE = 0x0a;

/** All frames share one scanner, because decoding never yields. */
const scanner = new JsonScanner();

/**
 * The fields of a command: the id, and the requests by their rank. The first one in the order of {@link requests} is executed, but
 * the others have to be well-formed too.
 */
const commandKeys = new KeyTable([
  {
    name: 'id',
    key: 'id',
    no: -1,
    kind: 'uint32',
    many: 'no',
    of: undefined,
    always: false,
    documentation: undefined,
  },
  ...requests.map(({ method, schema }, rank): Field => ({
    name: method,
    key: snakeCase(method),
    no: rank,
    kind: 'message',
    many: 'no',
    of: () => schema,
    always: false,
    documentation: undefined,
  })),
]);

/** Reads JSON objects, one per line. One newline may follow the last. The first line that is not a command ends the frame. */
export class JsonFrameReader implements FrameReader {
  readonly #frame: Buffer;
  /** Where the next line starts; undefined at the end. */
  #start: number | undefined = 0;

  constructor(frame: Buffer) {
    this.#frame = frame;
  }

  get bytesLeft(): number {
    return this.#start === undefined ? 0 : this.#frame.length - this.#start;
  }

  next(): Command | typeof MALFORMED | undefined {
    const frame = this.#frame;
    const start = this.#start;
    if (start === undefined) return undefined;
    this.#start = undefined;
    if (start === 0 && !isUtf8(frame)) return MALFORMED;
    const newline = frame.indexOf(NEWLINE, start);
    const end = newline < 0 ? frame.length : newline;
    try {
      const command = decodeLine(frame, start, end);
      if (end + 1 < frame.length) this.#start = end + 1;
      return command;
    } catch (error) {
      if (error instanceof MalformedError || error instanceof MalformedJsonError) return MALFORMED;
      throw error;
    }
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
        const candidate = readMessage(scanner, field.of());
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
