import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { describeWith, describeWithOwn, sharedBroker, startRedis } from '../brokers.js';
describeWith('redis', 'shared redis', () => {
  it('answers', async () => {
    const { url } = await sharedBroker('redis');
    const r = new Redis(url);
    expect(await r.ping()).toBe('PONG');
    r.disconnect();
  });
});
describeWithOwn('redis', 'own redis', () => {
  it('answers', async () => {
    await using b = await startRedis();
    const r = new Redis(b.url);
    expect(await r.ping()).toBe('PONG');
    r.disconnect();
  });
});
