import { Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { identity, serve } from '../../support/gateway-app.js';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('raw socket writes', () => {
  it('writes the frames of one turn at once, and clients share the bytes', async () => {
    await using server = await serve();
    const clients = [await server.connect(), await server.connect()];
    const write = jest.spyOn(Socket.prototype, 'write');
    for (let i = 0; i < 50; i++) server.table.send(identity(''), `{"id":${i}}`);
    for (const client of clients) await client.messages(50);
    const [first, second, ...more] = write.mock.calls.map(([chunk]) => chunk);
    expect(more).toEqual([]);
    expect(first).toBeInstanceOf(Buffer);
    expect(second).toBe(first);
    expect(clients[0]!.received).toEqual(Array.from({ length: 50 }, (_, i) => `{"id":${i}}`));
  });

  it('writes a single frame without a copy: the same bytes to every client', async () => {
    await using server = await serve();
    const clients = [await server.connect(), await server.connect()];
    const write = jest.spyOn(Socket.prototype, 'write');
    server.table.send(identity(''), '1');
    for (const client of clients) await client.messages(1);
    const chunks = write.mock.calls.map(([chunk]) => chunk);
    expect(chunks).toHaveLength(2);
    expect(chunks[0]).toBe(chunks[1]);
  });
});
