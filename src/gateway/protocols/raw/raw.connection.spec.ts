import { describe, expect, it } from '@jest/globals';
import { Publication, type Delivery } from '../../../delivery/index.js';
import type { ConnectionHost } from '../../connection/connection.js';
import type { Handshake } from '../../connection/handshake.js';
import { encodeFrame, Opcode, webSocketFraming } from '../../websocket/frame.js';
import { RawConnection, rawFormat } from './raw.connection.js';

function frameOf(data: Buffer, format: 'json' | 'binary'): Buffer {
  const publication = new Publication({ channel: 'bell', data, format, createdAt: 0, lane: 'direct' });
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

describe('RawConnection', () => {
  it('attaches nothing if the client has gone when it is authorized', async () => {
    const decision = Promise.withResolvers<void>();
    const attached: string[] = [];
    const delivery = {
      attach: async (channel: string) => void attached.push(channel),
      detach: () => {},
    } as unknown as Delivery;
    const handshake = { id: 'me', userAgent: 'test', address: '127.0.0.1' } as Handshake;
    const host = { onGone: () => {} } as unknown as ConnectionHost;
    const connection = new RawConnection(handshake, host, delivery, () => decision.promise);
    const joined = connection.join();
    connection.abandon();
    decision.resolve();
    await joined;
    expect(attached).toEqual([]);
  });
});
