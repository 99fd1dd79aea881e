import { describe, expect, it } from '@jest/globals';
import { Server } from '../server.js';

describe('a server that cannot listen', () => {
  it.each([
    ['', (taken: Server) => ({ port: taken.port, words: `port ${taken.port} of 127.0.0.1 is taken` })],
    [
      'at an address of another machine',
      () => ({ env: { HOST: '203.0.113.9' }, words: '203.0.113.9 is no address of this machine' }),
    ],
  ])('says what to do about it %s', async (_, options) => {
    await using other = await Server.start();
    const { words, ...start } = options(other) as { words: string; port?: number };
    await using server = await Server.spawn(start);
    await server.says(new RegExp(`carillon: cannot_listen: ${words}`));
    expect(await server.exited()).toBe(1);
    expect(server.output).not.toMatch(/^\s+at /m);
    expect(server.output).not.toContain('"stack"');
  });
});
