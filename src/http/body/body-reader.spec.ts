import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { readBody } from './body-reader.js';

const LIMIT = 10_000;

/** Reads a body that arrives in these chunks. */
function read(chunks: readonly Buffer[], contentLength?: number): Promise<Buffer | undefined> {
  const headers = contentLength === undefined ? {} : { 'content-length': String(contentLength) };
  const stream = Object.assign(new PassThrough(), { headers });
  const request = { routeOptions: { bodyLimit: LIMIT } } as FastifyRequest;
  return new Promise((resolve, reject) => {
    readBody(request, stream as unknown as IncomingMessage, (error, body) =>
      error === null ? resolve(body) : reject(error),
    );
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
  });
}

const bytes = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from([i % 251]));

describe('readBody', () => {
  it.each([0, 1, 1_023, 1_025, LIMIT])(
    'joins %d chunks of one byte, and keeps no more than them',
    async (count) => {
      for (const declared of [undefined, count]) {
        const body = await read(bytes(count), declared);
        expect(body).toEqual(Buffer.concat(bytes(count)));
        expect(body?.buffer.byteLength === count || count < 5_000).toBe(true);
      }
    },
  );

  it('does not copy a body of one chunk', async () => {
    const chunk = Buffer.alloc(5_000, 'x');
    const stream = [chunk];
    expect((await read(stream))?.buffer).toBe(chunk.buffer);
  });

  it('refuses a body above the limit, and one that is not as long as it says', async () => {
    await expect(read([Buffer.alloc(1)], LIMIT + 1)).rejects.toMatchObject({ statusCode: 413 });
    await expect(read([Buffer.alloc(LIMIT), Buffer.alloc(1)])).rejects.toMatchObject({ statusCode: 413 });
    await expect(read([Buffer.alloc(1)], 2)).rejects.toMatchObject({ statusCode: 400 });
  });
});
