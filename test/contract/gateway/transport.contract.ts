import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectionAdmission } from '../../../src/gateway/connection/connection-admission.js';
import { Connections } from '../../../src/gateway/connection/connections.js';
import { PauseCause } from '../../../src/gateway/connection/pause-cause.js';
import { metric, serve, type Server, type Settings } from '../../support/gateway-app.js';
import { CHANNEL, chatProtocol } from './chat.protocol.js';

/** A client at the other end of a transport. It reads, and answers pings, unless it is told not to. */
export interface TransportClient {
  /** The messages that it has read. */
  readonly received: readonly string[];
  /** Resolves when it has read this many messages. */
  messages(count: number): Promise<readonly string[]>;
  /** Resolves when it has been pinged this many times. */
  pings(count: number): Promise<void>;
  send(message: string): void;
  stopReading(): void;
  startReading(): void;
  close(code: number): void;
  /** Ends without a close. */
  vanish(): void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export interface ClientOptions {
  readonly answersPings?: boolean;
}

/** Connects a client over the transport, or rejects if the handshake is refused. */
export type ConnectClient = (server: Server, options?: ClientOptions) => Promise<TransportClient>;

const PAYLOAD = 'x'.repeat(64 * 1024);

/** What every transport has to do for its connections. See the `Transport` interface. */
export function describeTransport(name: string, connectClient: ConnectClient): void {
  describe(`a connection over ${name}`, () => {
    let server: Server;

    async function start(settings: Settings = {}): Promise<void> {
      await server[Symbol.asyncDispose]();
      server = await serve(settings, [chatProtocol]);
    }

    beforeEach(async () => {
      server = await serve({}, [chatProtocol]);
    });

    afterEach(async () => {
      await server[Symbol.asyncDispose]();
    });

    const connect = (options?: ClientOptions) => connectClient(server, options);
    const publish = (text: string) => server.table.send(CHANNEL, text);
    const closes = (code: number) => metric('carillon_gateway_closes_total', { code: String(code) });
    const open = () => metric('carillon_gateway_connections', { protocol: 'chat' });

    it('delivers publications whole and in order', async () => {
      const client = await connect();
      const sent = Array.from({ length: 200 }, (_, i) => `${i}`);
      for (const text of sent.slice(0, 100)) publish(text);
      await client.messages(100);
      for (const text of sent.slice(100)) publish(text);
      expect(await client.messages(200)).toEqual(sent);
      expect(await metric('carillon_gateway_messages_delivered_total')).toBe(200);
    });

    it('delivers what is published while the handshake waits', async () => {
      const attached = Promise.withResolvers<void>();
      server.table.ready = attached.promise;
      const connecting = connect();
      while (server.table.channels.length === 0) await new Promise(setImmediate);
      publish('early');
      attached.resolve();
      const client = await connecting;
      publish('late');
      expect(await client.messages(2)).toEqual(['early', 'late']);
    });

    it('passes on what the client sends', async () => {
      const client = await connect();
      for (const message of ['a', 'b']) client.send(message);
      expect(await client.messages(2)).toEqual(['echo a', 'echo b']);
      expect(await metric('carillon_gateway_messages_received_total', { protocol: 'chat' })).toBe(2);
    });

    it('does not read from the client while the connection is paused', async () => {
      const client = await connect();
      const [connection] = server.app.get(Connections);
      connection?.pause(PauseCause.queue);
      client.send('held');
      publish('first');
      await client.messages(1);
      publish('second');
      await client.messages(2);
      connection?.resume(PauseCause.queue);
      expect(await client.messages(3)).toEqual(['first', 'second', 'echo held']);
    });

    it('lets a client that is behind catch up, in order', async () => {
      const client = await connect();
      client.stopReading();
      const sent: string[] = [];
      while ((await metric('carillon_gateway_outbox_bytes')) < 300_000) {
        sent.push(`${sent.length} ${PAYLOAD}`);
        publish(sent.at(-1)!);
        await new Promise(setImmediate);
      }
      client.startReading();
      expect(await client.messages(sent.length)).toEqual(sent);
      expect(await open()).toBe(1);
    });

    it('closes a slow client with the code for it, while others receive everything', async () => {
      await start({ closeTimeoutMs: 60_000 });
      const [slow, fast] = [await connect(), await connect()];
      const [connection] = server.app.get(Connections);
      slow.stopReading();
      let sent = 0;
      while ((await closes(4002)) === 0) {
        publish(`${sent++} ${PAYLOAD}`);
        await fast.messages(sent);
        expect(connection?.outboxBytes).toBeLessThanOrEqual(1_048_576);
      }
      expect(await metric('carillon_gateway_messages_dropped_total')).toBe(1);
      slow.startReading();
      expect(await slow.closed).toEqual({ code: 4002, reason: 'slow' });
      // What it received has no gap: only the end is missing.
      expect(slow.received.map((text) => Number(text.split(' ')[0]))).toEqual(slow.received.map((_, i) => i));
      expect(slow.received.length).toBeLessThan(sent);
    });

    it('cuts a slow client off that does not take the close', async () => {
      await start({ closeTimeoutMs: 50, outboxMaxBytes: 65_536 });
      const slow = await connect();
      slow.stopReading();
      while ((await open()) > 0) {
        publish(PAYLOAD);
        await new Promise(setImmediate);
      }
      expect(await closes(4002)).toBe(1);
      expect(await metric('carillon_gateway_outbox_bytes')).toBe(0);
    });

    it('sends a message that is larger than the bound by itself', async () => {
      await start({ outboxMaxBytes: 1_000 });
      const client = await connect();
      publish(PAYLOAD);
      expect(await client.messages(1)).toEqual([PAYLOAD]);
    });

    it('pings the client, and keeps one that answers', async () => {
      await start({ heartbeat: { pingIntervalMs: 500, pongTimeoutMs: 450 } });
      const client = await connect();
      await client.pings(3);
      expect(await open()).toBe(1);
    });

    it('closes a client that does not answer a ping', async () => {
      await start({ heartbeat: { pingIntervalMs: 100, pongTimeoutMs: 80 } });
      const client = await connect({ answersPings: false });
      expect(await client.closed).toEqual({ code: 4003, reason: 'no pong' });
    });

    it('slows down a client that sends faster than its limit', async () => {
      await start({ limits: { inbound: { perSecond: 100, burst: 2 } } });
      const client = await connect();
      const sent = Array.from({ length: 22 }, (_, i) => `${i}`);
      const startedAt = performance.now();
      for (const message of sent) client.send(message);
      expect(await client.messages(22)).toEqual(sent.map((text) => `echo ${text}`));
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(190);
      expect(await open()).toBe(1);
    });

    it('does not take a client for dead that is not read from', async () => {
      await start({ heartbeat: { pingIntervalMs: 100, pongTimeoutMs: 80 } });
      const client = await connect();
      const [connection] = server.app.get(Connections);
      connection?.pause(PauseCause.queue);
      await client.pings(1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      connection?.resume(PauseCause.queue);
      await client.pings(2);
      expect(await open()).toBe(1);
    });

    it.each([
      ['closes', '4000', (client: TransportClient) => client.close(4000)],
      ['vanishes', '1006', (client: TransportClient) => client.vanish()],
    ])('makes room for another client when one %s', async (_, code, end) => {
      await start({ limits: { connections: 1 } });
      const client = await connect();
      await expect(connect()).rejects.toThrow('503');
      end(client);
      while ((await open()) > 0) await new Promise(setImmediate);
      expect(await metric('carillon_gateway_closes_total', { code: code === '4000' ? 'other' : code })).toBe(
        1,
      );
      expect(server.table.channels).toEqual([]);
      await connect();
    });

    it('leaves nothing behind when the handshake is refused', async () => {
      server.table.ready = Promise.reject(new Error('the store is unavailable'));
      await expect(connect()).rejects.toThrow('503');
      expect(server.table.channels).toEqual([]);
      expect(await open()).toBe(0);
    });

    it('closes all clients at shutdown, sends what waits before, and refuses new ones', async () => {
      const clients = await Promise.all([connect(), connect(), connect()]);
      publish('last');
      const stopping = server.app.close();
      while (!server.app.get(ConnectionAdmission).isShut) await new Promise(setImmediate);
      await expect(connect()).rejects.toThrow(/503|ECONNREFUSED/);
      for (const client of clients) {
        expect(await client.closed).toEqual({ code: 4001, reason: 'shutting down' });
        expect(client.received).toEqual(['last']);
      }
      await stopping;
      expect(await open()).toBe(0);
      expect(server.table.channels).toEqual([]);
    });

    it('cuts clients off at shutdown that do not take the close in time', async () => {
      await start({ drain: { timeoutMs: 200 }, closeTimeoutMs: 60_000 });
      const client = await connect();
      client.stopReading();
      await server.app.close();
      expect(await open()).toBe(0);
    });
  });
}
