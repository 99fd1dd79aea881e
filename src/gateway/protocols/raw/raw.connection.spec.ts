import { describe, expect, it } from '@jest/globals';
import { Publication } from '../../../delivery/index.js';
import { encodeFrame, Opcode, webSocketFraming } from '../../websocket/frame.js';
import { rawFormat } from './raw.connection.js';

function frameOf(data: Buffer, format: 'json' | 'binary'): Buffer {
  const publication = new Publication('bell', data, format, undefined, 0, undefined, 'direct');
  return rawFormat.of(publication, webSocketFraming);
}

describe('rawFormat', () => {
  it('sends JSON as text and bytes as binary, with nothing around them', () => {
    const json = Buffer.from('{"id":1}');
    expect(frameOf(json, 'json')).toEqual(encodeFrame(Opcode.text, json));
    const bytes = Buffer.from([0, 1]);
    expect(frameOf(bytes, 'binary')).toEqual(encodeFrame(Opcode.binary, bytes));
  });
});
