import { expect } from '@jest/globals';
import { inSeconds, token } from './centrifugo.ts';
import type {
  ClientEvent,
  ClientInfo,
  ClientProgram,
  ClientProtocol,
  ClientPublication,
  StreamPosition,
} from './client-program.ts';
import type { ClientFixture } from './client-fixture.ts';
import type { Engine } from './server-fixture.ts';

/** A test that runs with every client library, with each of its protocols, against every server fixture. */
export interface Scenario {
  readonly title: string;
  /** Runs only with this engine or this protocol. */
  readonly engine?: Engine;
  readonly protocol?: ClientProtocol;
  readonly run: (fixture: ClientFixture) => Promise<void>;
}

interface History extends StreamPosition {
  readonly publications: readonly ClientPublication[];
}

const numbersOf = (publications: readonly ClientPublication[]): unknown[] =>
  publications.map(({ data }) => (data as { n?: unknown }).n);

/** Waits for the publication of `n`. Resolves with the numbers of all publications that the client has received. */
async function numbersUpTo(client: ClientProgram, channel: string, n: number): Promise<unknown[]> {
  await client.sees({ event: 'publication', channel, data: { n } });
  return numbersOf(client.publications(channel));
}

/**
 * Publishes 1 to 5, and disconnects the client from 2 to 4. Resolves with the numbers that the client has received.
 *
 * @param recovered whether the client is expected to recover 2 to 4
 */
async function numbersAcrossDisconnect(
  fixture: ClientFixture,
  namespace: string,
  recovered: boolean,
): Promise<unknown[]> {
  const channel = fixture.channel(namespace);
  const { proxy } = fixture.server;
  const client = await fixture.subscribe(channel);
  await fixture.publish(channel, 1);
  await client.sees({ event: 'publication', channel });
  proxy.refuseConnections();
  proxy.resetConnections();
  await client.sees({ event: 'connecting' });
  await fixture.publish(channel, 2, 3, 4);
  proxy.acceptConnections();
  await client.sees({ event: 'subscribed', channel, wasRecovering: true, recovered });
  await fixture.publish(channel, 5);
  return numbersUpTo(client, channel, 5);
}

/**
 * Resolves when the client has requested at least so many tokens, for the channel or for the connection. On a slow machine
 * the first token may expire before it is used.
 */
async function tokensRequested(client: ClientProgram, count: number, channel?: string): Promise<void> {
  const isRequest = (each: ClientEvent): boolean => each.event === 'token' && each.channel === channel;
  await client.until((events) => events.filter(isRequest).length >= count, `${count} tokens`);
}

function timesConnected(client: ClientProgram): number {
  return client.events.filter(({ event }) => event === 'connected').length;
}

const connecting: readonly Scenario[] = [
  {
    title: 'stays connected when it renews its token',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const claims = [
        { exp: inSeconds(2), info: { turn: 1 } },
        { exp: inSeconds(3_600), info: { turn: 2 } },
      ];
      const client = await fixture.subscribe(channel, { claims });
      const currentTurn = async (): Promise<unknown> => {
        await client.do({ do: 'publish', channel, data: 'turn?' });
        const { info } = await client.sees({ event: 'publication', channel });
        return (info?.connInfo as { turn: unknown } | undefined)?.turn;
      };
      await tokensRequested(client, 2);
      while ((await currentTurn()) !== 2);
      expect(timesConnected(client)).toBe(1);
    },
  },
  {
    title: 'fetches another token when its own has expired',
    async run(fixture) {
      const client = await fixture.start({ claims: [{ exp: inSeconds(-10) }, { exp: inSeconds(3_600) }] });
      await client.do({ do: 'connect' });
      await client.sees({ event: 'token' });
      await client.sees({ event: 'token' });
      await client.sees({ event: 'connected' });
    },
  },
  {
    title: 'does not reconnect with an invalid token',
    async run(fixture) {
      const client = await fixture.start({ tokens: ['no.token.atall'] });
      await client.do({ do: 'connect' });
      await client.sees({ event: 'disconnected', code: 3500, reason: 'invalid token' });
    },
  },
  {
    title: 'subscribes to many channels while it connects',
    async run(fixture) {
      const client = await fixture.start();
      const channels = Array.from({ length: 20 }, (_, i) => fixture.channel('chat', `${i}-`));
      await client.batch([
        ...channels.map((channel) => ({ do: 'subscribe' as const, channel })),
        { do: 'connect' },
      ]);
      const count = (events: readonly ClientEvent[]): number =>
        events.filter(({ event }) => event === 'subscribed').length;
      await client.until((events) => count(events) === channels.length, 'all subscriptions');
      const last = channels.at(-1) ?? '';
      await fixture.publish(last, 1);
      await client.sees({ event: 'publication', channel: last, data: { n: 1 } });
    },
  },
];

const messaging: readonly Scenario[] = [
  {
    title: 'publishes to other clients and to itself',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const anna = await fixture.subscribe(channel, { user: 'anna' });
      const ben = await fixture.subscribe(channel, { user: 'ben', onOtherReplica: true });
      const data = {
        text: 'Grüße 🎉 "so"\n',
        numbers: [1.5, -2, 12_345_678_901],
        nested: { empty: {}, no: null },
      };
      await anna.do({ do: 'publish', channel, data });
      const seen = await ben.sees({ event: 'publication', channel });
      expect(seen).toMatchObject({ data, offset: 1, info: { user: fixture.user('anna') } });
      expect(await anna.sees({ event: 'publication', channel })).toMatchObject({ data, offset: 1 });
    },
  },
  {
    title: 'sends and receives bytes unchanged',
    protocol: 'protobuf',
    async run(fixture) {
      const channel = fixture.channel('fleeting');
      const anna = await fixture.subscribe(channel);
      const ben = await fixture.subscribe(channel, { user: 'ben', onOtherReplica: true });
      const bytes = Buffer.from([0, 255, 10, 13, 128, 34]).toString('base64');
      await anna.do({ do: 'publish', channel, data: { base64: bytes } });
      await ben.sees({ event: 'publication', channel, data: { base64: bytes } });
      await fixture.server.api('publish', { channel, b64data: bytes });
      await ben.sees({ event: 'publication', channel, data: { base64: bytes } });
    },
  },
  {
    title: 'receives nothing after it has unsubscribed',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const anna = await fixture.subscribe(channel);
      const ben = await fixture.subscribe(channel, { user: 'ben' });
      await fixture.publish(channel, 1);
      await ben.sees({ event: 'publication', channel, data: { n: 1 } });
      await ben.do({ do: 'unsubscribe', channel });
      await ben.sees({ event: 'unsubscribed', channel });
      await anna.sees({ event: 'leave', channel, user: fixture.user('ben') });
      await fixture.publish(channel, 2);
      await anna.sees({ event: 'publication', channel, data: { n: 2 } });
      // Everything that was in flight to ben arrives before this reply.
      await expect(ben.do({ do: 'publish', channel, data: {} })).rejects.toMatchObject({ code: 103 });
      expect(numbersOf(ben.publications(channel))).toEqual([1]);
    },
  },
  {
    title: 'receives the error code of a refused command',
    async run(fixture) {
      const client = await fixture.connect();
      const members = fixture.channel('members');
      await client.do({ do: 'subscribe', channel: members });
      await client.sees({ event: 'unsubscribed', channel: members, code: 103 });
      await client.do({ do: 'subscribe', channel: fixture.channel('unknown') });
      await client.sees({ event: 'unsubscribed', channel: fixture.channel('unknown'), code: 102 });
      const fleeting = fixture.channel('fleeting');
      const denied = { code: 103, message: 'permission denied' };
      await expect(client.do({ do: 'publish', channel: fleeting, data: {} })).rejects.toMatchObject(denied);
      const unavailable = { code: 108, message: 'not available' };
      await expect(client.do({ do: 'presence', channel: fleeting })).rejects.toMatchObject(unavailable);
      await expect(client.do({ do: 'history', channel: fleeting })).rejects.toMatchObject(unavailable);
      await expect(client.do({ do: 'rpc', method: 'any', data: {} })).rejects.toMatchObject(unavailable);
    },
  },
  {
    title: 'sends many commands together',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const client = await fixture.subscribe(channel);
      const publishes = Array.from({ length: 30 }, (_, n) => ({
        do: 'publish' as const,
        channel,
        data: { n },
      }));
      const stats = await client.batch([...publishes, { do: 'presenceStats', channel }]);
      expect(stats.at(-1)).toEqual({ clients: 1, users: 1 });
      await client.sees({ event: 'publication', channel, offset: 30 });
      const offsets = client.publications(channel).map(({ offset }) => offset);
      expect(offsets).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
      const numbers = new Set(numbersOf(client.publications(channel)));
      expect(numbers.size).toBe(30);
    },
  },
  {
    title: 'subscribes with a subscription token and renews it',
    async run(fixture) {
      const channel = fixture.channel('members');
      const tokens = await Promise.all(
        [2, 3_600].map((seconds) => token({ sub: fixture.user('anna'), channel, exp: inSeconds(seconds) })),
      );
      const client = await fixture.connect();
      await client.do({ do: 'subscribe', channel, tokens });
      await client.sees({ event: 'subscribed', channel });
      await tokensRequested(client, 2, channel);
      await fixture.publish(channel, 1);
      expect(await numbersUpTo(client, channel, 1)).toEqual([1]);
    },
  },
];

const presenceAndHistory: readonly Scenario[] = [
  {
    title: 'reads presence and receives join and leave messages',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const { server } = fixture;
      const anna = await fixture.subscribe(channel, {
        claims: [{ exp: inSeconds(3_600), info: { name: 'Anna' } }],
      });
      const ben = await fixture.subscribe(channel, { user: 'ben', onOtherReplica: true });
      const joined = await anna.sees({ event: 'join', channel, user: fixture.user('ben') });
      const { clients } = await ben.do<{ clients: Record<string, ClientInfo> }>({ do: 'presence', channel });
      expect(
        Object.values(clients)
          .map(({ user }) => user)
          .toSorted(),
      ).toEqual(['anna', 'ben'].map((name) => fixture.user(name)));
      expect(Object.values(clients).find(({ user }) => user === fixture.user('anna'))?.connInfo).toEqual({
        name: 'Anna',
      });
      expect(clients[joined.client]?.user).toBe(fixture.user('ben'));
      expect(await anna.do({ do: 'presenceStats', channel })).toEqual({ clients: 2, users: 2 });
      expect(await server.api('presence_stats', { channel })).toEqual({ num_clients: 2, num_users: 2 });
      await ben.do({ do: 'disconnect' });
      await anna.sees({ event: 'leave', channel, user: fixture.user('ben'), client: joined.client });
      expect(await anna.do({ do: 'presenceStats', channel })).toEqual({ clients: 1, users: 1 });
    },
  },
  {
    title: 'reads the history',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const client = await fixture.subscribe(channel);
      await fixture.publish(channel, 1, 2, 3, 4, 5);
      const read = async (range: {
        limit?: number;
        since?: StreamPosition;
        reverse?: boolean;
      }): Promise<History> => client.do<History>({ do: 'history', channel, ...range });
      const { epoch, ...top } = await read({});
      expect(top).toEqual({ offset: 5, publications: [] });
      expect(numbersOf((await read({ limit: -1 })).publications)).toEqual([1, 2, 3, 4, 5]);
      expect(numbersOf((await read({ limit: 2, since: { offset: 1, epoch } })).publications)).toEqual([2, 3]);
      expect(numbersOf((await read({ limit: 2, reverse: true })).publications)).toEqual([5, 4]);
      const withOtherEpoch = read({ limit: 2, since: { offset: 1, epoch: 'another' } });
      await expect(withOtherEpoch).rejects.toMatchObject({ code: 112 });
    },
  },
];

const recovery: readonly Scenario[] = [
  {
    title: 'recovers publications after a lost connection',
    async run(fixture) {
      expect(await numbersAcrossDisconnect(fixture, 'chat', true)).toEqual([1, 2, 3, 4, 5]);
    },
  },
  {
    title: 'is told that it cannot recover when the history is too short',
    async run(fixture) {
      expect(await numbersAcrossDisconnect(fixture, 'brief', false)).toEqual([1, 5]);
    },
  },
  {
    title: 'recovers publications after its server was killed',
    engine: 'redis',
    async run(fixture) {
      const channel = fixture.channel('chat');
      const { server } = fixture;
      const client = await fixture.subscribe(channel);
      await fixture.publish(channel, 1);
      await client.sees({ event: 'publication', channel });
      server.proxy.refuseConnections();
      await server.replaceServer('kill');
      await client.sees({ event: 'connecting' });
      await fixture.publish(channel, 2, 3, 4);
      server.proxy.acceptConnections();
      await client.sees({ event: 'subscribed', channel, wasRecovering: true, recovered: true });
      await fixture.publish(channel, 5);
      expect(await numbersUpTo(client, channel, 5)).toEqual([1, 2, 3, 4, 5]);
    },
  },
];

const controlledByServer: readonly Scenario[] = [
  {
    title: 'is subscribed by its token and by the server API',
    async run(fixture) {
      const [own, other] = [fixture.channel('chat', 'own-'), fixture.channel('chat', 'other-')];
      const user = fixture.user('anna');
      const { server } = fixture;
      const tokens = {
        claims: Array.from({ length: 3 }, () => ({ exp: inSeconds(3_600), channels: [own] })),
      };
      const client = await fixture.start(tokens);
      await client.do({ do: 'connect' });
      await client.sees({ event: 'subscribed', channel: own });
      await fixture.publish(own, 1);
      await client.sees({ event: 'publication', channel: own, data: { n: 1 } });

      await server.api('subscribe', { user, channel: other });
      await client.sees({ event: 'subscribed', channel: other });
      await fixture.publish(other, 1);
      await client.sees({ event: 'publication', channel: other, data: { n: 1 } });
      await server.api('unsubscribe', { user, channel: other });
      await client.sees({ event: 'unsubscribed', channel: other });

      server.proxy.refuseConnections();
      server.proxy.resetConnections();
      await client.sees({ event: 'connecting' });
      await fixture.publish(own, 2, 3);
      server.proxy.acceptConnections();
      await client.sees({ event: 'subscribed', channel: own, wasRecovering: true, recovered: true });
      await fixture.publish(own, 4);
      expect(await numbersUpTo(client, own, 4)).toEqual([1, 2, 3, 4]);
    },
  },
  {
    title: 'reconnects or stays disconnected as the close code says',
    async run(fixture) {
      const { server } = fixture;
      const claims = Array.from({ length: 3 }, () => ({ exp: inSeconds(3_600) }));
      const [anna, ben] = await Promise.all([
        fixture.connect({ claims }),
        fixture.connect({ user: 'ben', claims }),
      ]);
      const user = fixture.user('anna');
      await server.api('disconnect', { user, disconnect: { code: 4100, reason: 'come back' } });
      await anna.sees({ event: 'connecting', code: 4100, reason: 'come back' });
      await anna.sees({ event: 'connected' });
      await server.api('disconnect', { user, disconnect: { code: 4500, reason: 'stay away' } });
      await anna.sees({ event: 'disconnected', code: 4500, reason: 'stay away' });
      await server.api('disconnect', { user: fixture.user('ben') });
      await ben.sees({ event: 'disconnected', code: 3503, reason: 'force disconnect' });
    },
  },
  {
    title: 'reconnects to another server on shutdown',
    async run(fixture) {
      const channel = fixture.channel('fleeting');
      const client = await fixture.subscribe(channel, {
        claims: Array.from({ length: 3 }, () => ({ exp: inSeconds(3_600) })),
      });
      await fixture.server.replaceServer('stop');
      await client.sees({ event: 'connecting', code: 3001, reason: 'shutdown' });
      await client.sees({ event: 'subscribed', channel });
      await fixture.publish(channel, 1);
      await client.sees({ event: 'publication', channel, data: { n: 1 } });
    },
  },
];

export const scenarios = [
  ...connecting,
  ...messaging,
  ...presenceAndHistory,
  ...recovery,
  ...controlledByServer,
];
