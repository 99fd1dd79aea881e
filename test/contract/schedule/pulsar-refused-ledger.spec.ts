/** A delayed lane on Pulsar whose ledger in Redis can be reached, but refuses its calls. */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import { redisCli } from '../../../scripts/brokers/redis.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { watchedProgress } from '../bus/watched-progress.js';
import { HandOvers } from './hand-overs.js';
import { open } from './pulsar-schedule.open.js';
import { messageIn } from './scheduled-messages.js';

describeWith(['pulsar', 'redis'], 'the ledger of a delayed lane on Pulsar', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await sharedBroker('redis'));
  });
  const user = `ledger-${randomUUID()}`;
  const cli = (...command: string[]) => redisCli(url, ...command);

  it('reports why messages cannot be claimed, until they can', async () => {
    const { webUrl: serviceUrl = '' } = await sharedBroker('pulsar');
    await cli('ACL', 'SETUSER', user, 'on', '>secret', 'allkeys', 'allchannels', 'allcommands');
    const ledger = { url: url.replace('redis://', `redis://${user}:secret@`), keyPrefix: randomUUID() };
    const schedule = await open({ serviceUrl, topic: randomUUID(), ledger });
    const watched = watchedProgress(300);
    const handOvers = new HandOvers();
    await schedule.consume({ concurrency: 1, progress: watched.progress }, async (message) => {
      handOvers.start(message);
      handOvers.end(message);
    });
    await schedule.add(messageIn(1_000));
    await cli('ACL', 'SETUSER', user, '-eval', '-evalsha');
    expect(await watched.isDown()).toMatch(/^claiming due messages keeps failing: .*NOPERM/);
    await cli('ACL', 'SETUSER', user, 'allcommands');
    await handOvers.completed(1);
    await watched.isUp();
    watched.progress.close();
    await schedule.close();
    await cli('ACL', 'DELUSER', user);
  });
});
