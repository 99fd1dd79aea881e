import type { Publication } from '../../delivery/index.js';

/** RFC 6455, section 5.2. */
export const Opcode = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

const FINAL = 0x80;

/** One whole frame as a server sends it: final, unmasked, not compressed (RFC 6455, section 5.2). */
export function encodeFrame(opcode: Opcode, payload: Uint8Array): Buffer {
  const { length } = payload;
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = FINAL | opcode;
  if (header === 2) {
    frame[1] = length;
  } else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length % 2 ** 32, 6);
  }
  frame.set(payload, header);
  return frame;
}

/** Stands for a publication that a format cannot carry, such as bytes for clients that speak JSON. */
export const unencodable = Buffer.alloc(0);

let slots = 0;

/**
 * A way to put a publication on the wire. The first subscriber pays for the encoding; the bytes stay with the
 * publication for all others. One object per wire format for the life of the process: each takes a slot.
 */
export class FrameFormat {
  readonly #slot = slots++;
  readonly #encode: (publication: Publication) => Buffer;

  constructor(encode: (publication: Publication) => Buffer) {
    this.#encode = encode;
  }

  of(publication: Publication): Buffer {
    return (publication.frames[this.#slot] ??= this.#encode(publication));
  }
}

/** The message's bytes with nothing around them: a text frame for JSON, a binary frame for bytes. */
export const rawFormat = new FrameFormat(({ data, format }) =>
  encodeFrame(format === 'json' ? Opcode.text : Opcode.binary, data),
);

export const pingFrame = encodeFrame(Opcode.ping, new Uint8Array());
