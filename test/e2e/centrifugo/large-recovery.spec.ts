/** A client that reconnects receives what it missed, even if that is larger than its outbox. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CentrifugoApp, sign } from '../../support/centrifugo-app.js';
import { ProtocolClient } from '../../support/protocol-client.js';

const KEPT = 100;
const text = 'x'.repeat(30_000);
const connect = { id: 1, connect: { token: sign({ sub: '42' }) } };

describe('a recovery beyond outboxMaxBytes', () => {
  let app: CentrifugoApp;
  let client: ProtocolClient;

  beforeAll(async () => {
    // By default, a recovery of more than 1 MiB is not sent.
    app = await CentrifugoApp.start('config-main.json', { 'delivery.responseMaxBytes': 8_000_000 });
    for (const channel of ['chat:a', 'chat:b'])
      for (let n = 0; n < KEPT; n++) await app.api('publish', { channel, data: { n, text } });
  });
  afterAll(() => app[Symbol.asyncDispose]());
  afterEach(() => client.socket.terminate());

  const recover = (id: number, channel: string) => ({ id, subscribe: { channel, recover: true } });
  const recovered = (id: number) => ({
    id,
    subscribe: expect.objectContaining({ recovered: true, publications: expect.any(Array) }),
  });
  const open = async (): Promise<void> => {
    client = await ProtocolClient.open(app.socketUrl);
  };

  it('is the reply to a command that was sent with others', async () => {
    await open();
    const commands = [connect, recover(2, 'chat:a'), recover(3, 'chat:b')];
    client.send(commands.map((command) => JSON.stringify(command)).join('\n'));
    expect(await client.nextObject()).toMatchObject({ id: 1 });
    const answers: unknown[] = [];
    while (answers.length < 2) {
      const message = await client.nextObject();
      if ('id' in message) answers.push(message);
    }
    expect(answers).toEqual([recovered(2), recovered(3)]);
  });

  it('is followed by the publications of the meantime', async () => {
    await open();
    await client.request(connect);
    // Most of the reply still waits in the server when the first publication follows.
    client.socket.pause();
    client.send(recover(2, 'chat:a'));
    for (let n = 0; n < 10; n++) await app.api('publish', { channel: 'chat:a', data: n });
    client.socket.resume();
    const seen: unknown[] = [];
    while (seen.at(-1) !== 9) {
      const message = (await client.nextObject()) as { push?: { pub?: { data: unknown } } };
      if (message.push?.pub) seen.push(message.push.pub.data);
    }
    expect(client.closed).toBeUndefined();
  });
});
