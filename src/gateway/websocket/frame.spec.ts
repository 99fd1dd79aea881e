import { describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { Publication } from '../../delivery/index.js';
import { encodeFrame, FrameFormat, Opcode, pingFrame, rawFormat } from './frame.js';

// Not in the types of `ws`; the reference for our encoder.
const { Sender } = ws as unknown as {
  Sender: { frame(data: Buffer, options: Record<string, unknown>): Buffer[] };
};

function byReference(opcode: Opcode, payload: Buffer): Buffer {
  return Buffer.concat(
    Sender.frame(payload, { opcode, fin: true, mask: false, rsv1: false, readOnly: true }),
  );
}

function publication(data: string, format: 'json' | 'binary' = 'json'): Publication {
  return new Publication('bell', Buffer.from(data), format, undefined, 0, undefined, 'direct');
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

  it('has an empty ping ready', () => {
    expect([...pingFrame]).toEqual([0x89, 0]);
  });
});

describe('FrameFormat', () => {
  it('encodes a publication once, whoever asks', () => {
    const encode = jest.fn((p: Publication) => encodeFrame(Opcode.text, p.data));
    const format = new FrameFormat(encode);
    const bell = publication('1');
    expect(format.of(bell)).toBe(format.of(bell));
    expect(encode).toHaveBeenCalledTimes(1);
  });

  it('keeps formats apart', () => {
    const one = new FrameFormat(() => Buffer.from('one'));
    const two = new FrameFormat(() => Buffer.from('two'));
    const bell = publication('1');
    expect([one.of(bell), two.of(bell), one.of(bell)].map(String)).toEqual(['one', 'two', 'one']);
  });
});

describe('rawFormat', () => {
  it('sends JSON as text and bytes as binary, with nothing around them', () => {
    expect(rawFormat.of(publication('{"id":1}'))).toEqual(byReference(Opcode.text, Buffer.from('{"id":1}')));
    expect(rawFormat.of(publication('\0\u0001', 'binary'))).toEqual(
      byReference(Opcode.binary, Buffer.from([0, 1])),
    );
  });
});
