/** What Centrifugo allows by default, with its unmodified JavaScript client in both encodings. */
import { describe, expect, it } from '@jest/globals';
import { Centrifuge as JsonCentrifuge, type PublicationContext } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { WebSocket } from 'ws';
import { CentrifugoApp, sign } from '../../support/centrifugo-app.js';

const encodings = [
  ['json', JsonCentrifuge],
  ['protobuf', ProtobufCentrifuge],
] as const;

/** The limits of a configuration of our own. */
const ownLimits = {
  'gateway.limits.inbound.perSecond': 1_000,
  'gateway.client.rates.connection.perSecond': 1_000,
  'gateway.client.rates.user.perSecond': 1_000,
  'gateway.client.rates.address.perSecond': 10_000,
};

const payload = (encoding: string, value: unknown): unknown =>
  encoding === 'json' ? value : new Uint8Array(Buffer.from(JSON.stringify(value)));

function connect(app: CentrifugoApp, Client: (typeof encodings)[number][1], codes: number[]) {
  const client = new Client(app.socketUrl, {
    websocket: WebSocket,
    token: sign({ sub: 'ann' }),
    minReconnectDelay: 10,
    maxReconnectDelay: 20,
    timeout: 60_000,
  });
  client.on('connecting', ({ code }) => codes.push(code));
  client.on('disconnected', ({ code }) => codes.push(code));
  client.connect();
  return client;
}

describe.each(encodings)('centrifuge-js in %s', (encoding, Client) => {
  it.each([
    ["Centrifugo's configuration", {}],
    ['our own limits', ownLimits],
  ])('subscribes to 1,500 channels and publishes 3,000 messages in a burst with %s', async (_, limits) => {
    await using app = await CentrifugoApp.start('config-main.json', {
      'gateway.client.channelLimit': 2_000,
      ...limits,
    });
    const codes: number[] = [];
    const client = connect(app, Client, codes);
    await client.ready();
    const subscriptions = Array.from({ length: 1_500 }, (__, i) =>
      client.newSubscription(`bench:burst-${i}`),
    );
    for (const each of subscriptions) each.subscribe();
    await Promise.all(subscriptions.map((each) => each.ready()));
    await Promise.all(
      Array.from({ length: 3_000 }, (__, n) => client.publish('bench:burst-0', payload(encoding, { n }))),
    );
    expect(codes).toEqual([0]);
    client.disconnect();
  });

  it('keeps its subscription, and what follows, when a publication is not JSON', async () => {
    await using app = await CentrifugoApp.start('config-main.json');
    const codes: number[] = [];
    const client = connect(app, Client, codes);
    const subscription = client.newSubscription('chat:mixed');
    const received: (number | undefined)[] = [];
    let arrived = () => {};
    subscription.on('publication', ({ offset }: PublicationContext) => {
      received.push(offset);
      arrived();
    });
    const until = async (offset: number) => {
      while (received.at(-1) !== offset) await new Promise<void>((resolve) => (arrived = resolve));
    };
    const publish = (data: object) => app.api('publish', { channel: 'chat:mixed', ...data });
    subscription.subscribe();
    await subscription.ready();
    await publish({ data: { n: 1 } });
    await publish({ b64data: 'AQID/w==' });
    await publish({ data: { n: 3 } });
    await until(3);
    const live = encoding === 'json' ? [1, 3] : [1, 2, 3];
    expect(received).toEqual(live);
    expect(codes).toEqual([0]);

    client.disconnect();
    await publish({ b64data: 'AQID/w==' });
    await publish({ data: { n: 5 } });
    await publish({ b64data: 'AQID/w==' });
    const recovered = new Promise((resolve) => subscription.once('subscribed', resolve));
    client.connect();
    expect(await recovered).toMatchObject({ wasRecovering: true, recovered: true });
    await publish({ data: { n: 7 } });
    await until(7);
    expect(received).toEqual(encoding === 'json' ? [...live, 5, 7] : [...live, 4, 5, 6, 7]);
    const { publications } = await subscription.history({ limit: 100 });
    expect(publications.map(({ offset }) => offset)).toEqual(
      encoding === 'json' ? [1, 3, 5, 7] : [1, 2, 3, 4, 5, 6, 7],
    );
    client.disconnect();
  });
});
