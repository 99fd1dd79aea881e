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
import type { Scene } from './client-fixture.ts';
import type { Engine } from './server-fixture.ts';

/** What every client library goes through, with each of its protocols, on each kind of stage. */
export interface Scenario {
  readonly title: string;
  /** Played on these stages, or with these protocols, only. */
  readonly engine?: Engine;
  readonly protocol?: ClientProtocol;
  readonly play: (scene: Scene) => Promise<void>;
}

interface History extends StreamPosition {
  readonly publications: readonly ClientPublication[];
}

const numbersOf = (publications: readonly ClientPublication[]): unknown[] =>
  publications.map(({ data }) => (data as { n?: unknown }).n);

/** Resolves when the client has this publication, and answers all that it has. */
async function numbersUpTo(client: ClientProgram, channel: string, n: number): Promise<unknown[]> {
  await client.sees({ event: 'publication', channel, data: { n } });
  return numbersOf(client.publications(channel));
}

/** The client has 1, is cut off from 2 to 4, and comes back, with what it missed (`recovered`) or without, before 5. */
async function numbersAcrossCut(scene: Scene, namespace: string, recovered: boolean): Promise<unknown[]> {
  const channel = scene.channel(namespace);
  const { line } = scene.stage;
  const client = await scene.subscribed(channel);
  await scene.publish(channel, 1);
  await client.sees({ event: 'publication', channel });
  line.refuse();
  line.cut();
  await client.sees({ event: 'connecting' });
  await scene.publish(channel, 2, 3, 4);
  line.mend();
  await client.sees({ event: 'subscribed', channel, wasRecovering: true, recovered });
  await scene.publish(channel, 5);
  return numbersUpTo(client, channel, 5);
}

/** Asked for in all, of the channel or of the connection. On a slow machine the first may expire before it is used. */
async function tokensAsked(client: ClientProgram, count: number, channel?: string): Promise<void> {
  const isAsked = (each: ClientEvent): boolean => each.event === 'token' && each.channel === channel;
  await client.until((events) => events.filter(isAsked).length >= count, `${count} tokens`);
}

function timesConnected(client: ClientProgram): number {
  return client.events.filter(({ event }) => event === 'connected').length;
}

const connecting: readonly Scenario[] = [
  {
    title: 'connects with a token and stays when it renews it',
    async play(scene) {
      const channel = scene.channel('chat');
      const claims = [
        { exp: inSeconds(2), info: { turn: 1 } },
        { exp: inSeconds(3_600), info: { turn: 2 } },
      ];
      const client = await scene.subscribed(channel, { claims });
      const turnSeen = async (): Promise<unknown> => {
        await client.do({ do: 'publish', channel, data: 'whose?' });
        const { info } = await client.sees({ event: 'publication', channel });
        return (info?.connInfo as { turn: unknown } | undefined)?.turn;
      };
      await tokensAsked(client, 2);
      while ((await turnSeen()) !== 2);
      expect(timesConnected(client)).toBe(1);
    },
  },
  {
    title: 'fetches another token when its own has expired',
    async play(scene) {
      const client = await scene.client({ claims: [{ exp: inSeconds(-10) }, { exp: inSeconds(3_600) }] });
      await client.do({ do: 'connect' });
      await client.sees({ event: 'token' });
      await client.sees({ event: 'token' });
      await client.sees({ event: 'connected' });
    },
  },
  {
    title: 'gives up with a token that nobody signed',
    async play(scene) {
      const client = await scene.client({ tokens: ['no.token.atall'] });
      await client.do({ do: 'connect' });
      await client.sees({ event: 'disconnected', code: 3500, reason: 'invalid token' });
    },
  },
  {
    title: 'subscribes to many channels at once while it connects',
    async play(scene) {
      const client = await scene.client();
      const channels = Array.from({ length: 20 }, (_, i) => scene.channel('chat', `${i}-`));
      await client.batch([
        ...channels.map((channel) => ({ do: 'subscribe' as const, channel })),
        { do: 'connect' },
      ]);
      const count = (events: readonly ClientEvent[]): number =>
        events.filter(({ event }) => event === 'subscribed').length;
      await client.until((events) => count(events) === channels.length, 'all subscriptions');
      const last = channels.at(-1) ?? '';
      await scene.publish(last, 1);
      await client.sees({ event: 'publication', channel: last, data: { n: 1 } });
    },
  },
];

const messaging: readonly Scenario[] = [
  {
    title: 'publishes to others, and to itself',
    async play(scene) {
      const channel = scene.channel('chat');
      const anna = await scene.subscribed(channel, { user: 'anna' });
      const ben = await scene.subscribed(channel, { user: 'ben', isFar: true });
      const data = {
        text: 'Grüße 🎉 "so"\n',
        numbers: [1.5, -2, 12_345_678_901],
        nested: { empty: {}, no: null },
      };
      await anna.do({ do: 'publish', channel, data });
      const seen = await ben.sees({ event: 'publication', channel });
      expect(seen).toMatchObject({ data, offset: 1, info: { user: scene.user('anna') } });
      expect(await anna.sees({ event: 'publication', channel })).toMatchObject({ data, offset: 1 });
    },
  },
  {
    title: 'carries bytes as they are',
    protocol: 'protobuf',
    async play(scene) {
      const channel = scene.channel('fleeting');
      const anna = await scene.subscribed(channel);
      const ben = await scene.subscribed(channel, { user: 'ben', isFar: true });
      const bytes = Buffer.from([0, 255, 10, 13, 128, 34]).toString('base64');
      await anna.do({ do: 'publish', channel, data: { base64: bytes } });
      await ben.sees({ event: 'publication', channel, data: { base64: bytes } });
      await scene.stage.api('publish', { channel, b64data: bytes });
      await ben.sees({ event: 'publication', channel, data: { base64: bytes } });
    },
  },
  {
    title: 'hears no more after it unsubscribed',
    async play(scene) {
      const channel = scene.channel('chat');
      const anna = await scene.subscribed(channel);
      const ben = await scene.subscribed(channel, { user: 'ben' });
      await scene.publish(channel, 1);
      await ben.sees({ event: 'publication', channel, data: { n: 1 } });
      await ben.do({ do: 'unsubscribe', channel });
      await ben.sees({ event: 'unsubscribed', channel });
      await anna.sees({ event: 'leave', channel, user: scene.user('ben') });
      await scene.publish(channel, 2);
      await anna.sees({ event: 'publication', channel, data: { n: 2 } });
      // Whatever was on its way to ben came before the answer to this.
      await expect(ben.do({ do: 'publish', channel, data: {} })).rejects.toMatchObject({ code: 103 });
      expect(numbersOf(ben.publications(channel))).toEqual([1]);
    },
  },
  {
    title: 'is told why when it may not',
    async play(scene) {
      const client = await scene.connected();
      const members = scene.channel('members');
      await client.do({ do: 'subscribe', channel: members });
      await client.sees({ event: 'unsubscribed', channel: members, code: 103 });
      await client.do({ do: 'subscribe', channel: scene.channel('unheard-of') });
      await client.sees({ event: 'unsubscribed', channel: scene.channel('unheard-of'), code: 102 });
      const fleeting = scene.channel('fleeting');
      const denied = { code: 103, message: 'permission denied' };
      await expect(client.do({ do: 'publish', channel: fleeting, data: {} })).rejects.toMatchObject(denied);
      const unavailable = { code: 108, message: 'not available' };
      await expect(client.do({ do: 'presence', channel: fleeting })).rejects.toMatchObject(unavailable);
      await expect(client.do({ do: 'history', channel: fleeting })).rejects.toMatchObject(unavailable);
      await expect(client.do({ do: 'rpc', method: 'any', data: {} })).rejects.toMatchObject(unavailable);
    },
  },
  {
    title: 'asks for many things together',
    async play(scene) {
      const channel = scene.channel('chat');
      const client = await scene.subscribed(channel);
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
    title: 'enters with a token of the channel and renews it',
    async play(scene) {
      const channel = scene.channel('members');
      const tokens = await Promise.all(
        [2, 3_600].map((seconds) => token({ sub: scene.user('anna'), channel, exp: inSeconds(seconds) })),
      );
      const client = await scene.connected();
      await client.do({ do: 'subscribe', channel, tokens });
      await client.sees({ event: 'subscribed', channel });
      await tokensAsked(client, 2, channel);
      await scene.publish(channel, 1);
      expect(await numbersUpTo(client, channel, 1)).toEqual([1]);
    },
  },
];

const looking: readonly Scenario[] = [
  {
    title: 'sees who is there, who comes and who goes',
    async play(scene) {
      const channel = scene.channel('chat');
      const { stage } = scene;
      const anna = await scene.subscribed(channel, {
        claims: [{ exp: inSeconds(3_600), info: { name: 'Anna' } }],
      });
      const ben = await scene.subscribed(channel, { user: 'ben', isFar: true });
      const joined = await anna.sees({ event: 'join', channel, user: scene.user('ben') });
      const { clients } = await ben.do<{ clients: Record<string, ClientInfo> }>({ do: 'presence', channel });
      expect(
        Object.values(clients)
          .map(({ user }) => user)
          .toSorted(),
      ).toEqual(['anna', 'ben'].map((name) => scene.user(name)));
      expect(Object.values(clients).find(({ user }) => user === scene.user('anna'))?.connInfo).toEqual({
        name: 'Anna',
      });
      expect(clients[joined.client]?.user).toBe(scene.user('ben'));
      expect(await anna.do({ do: 'presenceStats', channel })).toEqual({ clients: 2, users: 2 });
      expect(await stage.api('presence_stats', { channel })).toEqual({ num_clients: 2, num_users: 2 });
      await ben.do({ do: 'disconnect' });
      await anna.sees({ event: 'leave', channel, user: scene.user('ben'), client: joined.client });
      expect(await anna.do({ do: 'presenceStats', channel })).toEqual({ clients: 1, users: 1 });
    },
  },
  {
    title: 'reads the history',
    async play(scene) {
      const channel = scene.channel('chat');
      const client = await scene.subscribed(channel);
      await scene.publish(channel, 1, 2, 3, 4, 5);
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
      const elsewhere = read({ limit: 2, since: { offset: 1, epoch: 'another' } });
      await expect(elsewhere).rejects.toMatchObject({ code: 112 });
    },
  },
];

const recovering: readonly Scenario[] = [
  {
    title: 'is given what it missed while it was cut off',
    async play(scene) {
      expect(await numbersAcrossCut(scene, 'chat', true)).toEqual([1, 2, 3, 4, 5]);
    },
  },
  {
    title: 'is told when too much is gone to give it what it missed',
    async play(scene) {
      expect(await numbersAcrossCut(scene, 'brief', false)).toEqual([1, 5]);
    },
  },
  {
    title: 'is given what it missed while its server was gone',
    engine: 'redis',
    async play(scene) {
      const channel = scene.channel('chat');
      const { stage } = scene;
      const client = await scene.subscribed(channel);
      await scene.publish(channel, 1);
      await client.sees({ event: 'publication', channel });
      stage.line.refuse();
      await stage.replaceServer('kill');
      await client.sees({ event: 'connecting' });
      await scene.publish(channel, 2, 3, 4);
      stage.line.mend();
      await client.sees({ event: 'subscribed', channel, wasRecovering: true, recovered: true });
      await scene.publish(channel, 5);
      expect(await numbersUpTo(client, channel, 5)).toEqual([1, 2, 3, 4, 5]);
    },
  },
];

const advised: readonly Scenario[] = [
  {
    title: 'is subscribed by its token and by the application',
    async play(scene) {
      const [own, other] = [scene.channel('chat', 'own-'), scene.channel('chat', 'other-')];
      const user = scene.user('anna');
      const { stage } = scene;
      const tokens = {
        claims: Array.from({ length: 3 }, () => ({ exp: inSeconds(3_600), channels: [own] })),
      };
      const client = await scene.client(tokens);
      await client.do({ do: 'connect' });
      await client.sees({ event: 'subscribed', channel: own });
      await scene.publish(own, 1);
      await client.sees({ event: 'publication', channel: own, data: { n: 1 } });

      await stage.api('subscribe', { user, channel: other });
      await client.sees({ event: 'subscribed', channel: other });
      await scene.publish(other, 1);
      await client.sees({ event: 'publication', channel: other, data: { n: 1 } });
      await stage.api('unsubscribe', { user, channel: other });
      await client.sees({ event: 'unsubscribed', channel: other });

      stage.line.refuse();
      stage.line.cut();
      await client.sees({ event: 'connecting' });
      await scene.publish(own, 2, 3);
      stage.line.mend();
      await client.sees({ event: 'subscribed', channel: own, wasRecovering: true, recovered: true });
      await scene.publish(own, 4);
      expect(await numbersUpTo(client, own, 4)).toEqual([1, 2, 3, 4]);
    },
  },
  {
    title: 'stays away or comes back as it is advised',
    async play(scene) {
      const { stage } = scene;
      const claims = Array.from({ length: 3 }, () => ({ exp: inSeconds(3_600) }));
      const [anna, ben] = await Promise.all([
        scene.connected({ claims }),
        scene.connected({ user: 'ben', claims }),
      ]);
      const user = scene.user('anna');
      await stage.api('disconnect', { user, disconnect: { code: 4100, reason: 'come back' } });
      await anna.sees({ event: 'connecting', code: 4100, reason: 'come back' });
      await anna.sees({ event: 'connected' });
      await stage.api('disconnect', { user, disconnect: { code: 4500, reason: 'stay away' } });
      await anna.sees({ event: 'disconnected', code: 4500, reason: 'stay away' });
      await stage.api('disconnect', { user: scene.user('ben') });
      await ben.sees({ event: 'disconnected', code: 3503, reason: 'force disconnect' });
    },
  },
  {
    title: 'moves on when its server shuts down',
    async play(scene) {
      const channel = scene.channel('fleeting');
      const client = await scene.subscribed(channel, {
        claims: Array.from({ length: 3 }, () => ({ exp: inSeconds(3_600) })),
      });
      await scene.stage.replaceServer('stop');
      await client.sees({ event: 'connecting', code: 3001, reason: 'shutdown' });
      await client.sees({ event: 'subscribed', channel });
      await scene.publish(channel, 1);
      await client.sees({ event: 'publication', channel, data: { n: 1 } });
    },
  },
];

export const scenarios = [...connecting, ...messaging, ...looking, ...recovering, ...advised];
