import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { encodeFrame, Opcode, webSocketFraming } from './frame.js';

// Not in the types of `ws`; the reference for our encoder.
const { Sender } = ws as unknown as {
  Sender: { frame(data: Buffer, options: Record<string, unknown>): Buffer[] };
};

function byReference(opcode: Opcode, payload: Buffer): Buffer {
  return Buffer.concat(
    Sender.frame(payload, { opcode, fin: true, mask: false, rsv1: false, readOnly: true }),
  );
}

describe('encodeFrame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 200_000])('encodes %d bytes as ws does', (length) => {
    const payload = Buffer.alloc(length, 'a');
    expect(encodeFrame(Opcode.text, payload).equals(byReference(Opcode.text, payload))).toBe(true);
  });

  it('encodes any payload and opcode as ws does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(Opcode)),
        fc.uint8Array({ maxLength: 400 }),
        (opcode, bytes) => {
          const payload = Buffer.from(bytes);
          expect(encodeFrame(opcode, payload).equals(byReference(opcode, payload))).toBe(true);
        },
      ),
    );
  });
});

describe('webSocketFraming', () => {
  it('frames text as a text frame and bytes as a binary frame', () => {
    const message = Buffer.from('{"id":1}');
    expect(webSocketFraming.frame(message, true).equals(byReference(Opcode.text, message))).toBe(true);
    expect(webSocketFraming.frame(message, false).equals(byReference(Opcode.binary, message))).toBe(true);
  });

  it('pings with an empty ping frame', () => {
    expect([...webSocketFraming.ping]).toEqual([0x89, 0]);
  });
});
