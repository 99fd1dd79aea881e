import { Framing } from '../connection/framing.js';

/** RFC 6455, section 5.2. */
export const Opcode = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

const FINAL = 0x80;

/** Returns one whole frame as a server sends it: final, unmasked, not compressed (RFC 6455, section 5.2). */
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

/** A message is one frame. */
class WebSocketFraming extends Framing {
  override readonly transport = 'websocket';
  override readonly ping = encodeFrame(Opcode.ping, new Uint8Array());

  override frame(message: Uint8Array, isText: boolean): Buffer {
    return encodeFrame(isText ? Opcode.text : Opcode.binary, message);
  }
}

export const webSocketFraming = new WebSocketFraming();
