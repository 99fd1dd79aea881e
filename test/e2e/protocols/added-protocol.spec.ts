import { once } from 'node:events';
import { Inject, Injectable } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Delivery, type Publication, type Subscriber } from '../../../src/delivery/index.js';
import {
  Connection,
  GATEWAY_MODULE_OPTIONS,
  HandshakeRefusedError,
  ProtocolSettings,
  PublicationFormat,
  type ConnectionHost,
  type GatewayModuleOptions,
  type Handshake,
  type Protocol,
  type ProtocolDefinition,
} from '../../../src/gateway/index.js';
import { protocols } from '../../../src/protocols.js';
import { metric, serve, type Client, type Settings } from '../../support/gateway-app.js';

// A whole protocol: an echo in rooms. Nothing in `src` knows it.

const settings = new ProtocolSettings(
  'rooms',
  z.strictObject({ locked: z.array(z.string()).default([]) }).prefault({}),
);

const inRoom = new PublicationFormat(
  ({ data }) => Buffer.from(`room: ${data.toString()}`),
  () => true,
);

class RoomConnection extends Connection implements Subscriber {
  readonly #room: string;

  constructor(
    handshake: Handshake,
    host: ConnectionHost,
    private readonly protocolOfRooms: RoomProtocol,
  ) {
    super(handshake, host);
    this.#room = handshake.params.room ?? '';
  }

  override async join(): Promise<void> {
    this.protocolOfRooms.members.add(this);
    await this.protocolOfRooms.delivery.attach(this.#room, this);
  }

  protected override leave(): void {
    this.protocolOfRooms.members.delete(this);
    this.protocolOfRooms.delivery.detach(this.#room, this);
  }

  protected override onOpen(): void {
    this.startHeartbeat();
  }

  protected override onInbound(message: Buffer): void {
    if (String(message) === 'leave') this.close({ code: 4100, reason: 'you left', reconnect: false });
    else this.sendMessage(Buffer.from(`${this.#room}: ${message.toString()}`), true);
  }

  receive(publication: Publication): void {
    this.deliver(publication, inRoom);
  }
}

@Injectable()
class RoomProtocol implements Protocol {
  readonly members = new Set<RoomConnection>();
  readonly #locked: readonly string[];

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    readonly delivery: Delivery,
  ) {
    this.#locked = settings.of(options).locked;
  }

  connect(handshake: Handshake, host: ConnectionHost): RoomConnection {
    if (this.#locked.includes(handshake.params.room ?? ''))
      throw new HandshakeRefusedError({ status: 423, code: 'room_locked', message: 'the room is locked' });
    return new RoomConnection(handshake, host, this);
  }

  countUsers(): number {
    return this.members.size;
  }
}

const rooms: ProtocolDefinition = {
  name: 'rooms',
  paths: ['/t/:room'],
  subprotocols: ['rooms.v1'],
  settings,
  closeCodes: {
    shuttingDown: { code: 4001, reason: 'come back', reconnect: true },
    slow: { code: 4002, reason: 'too slow', reconnect: true },
    noPong: { code: 4003, reason: 'silent', reconnect: true },
    left: { code: 4100, reason: 'you left', reconnect: false },
  },
  useClass: RoomProtocol,
};

const list = [...protocols, rooms];

function closed({ closed: reason }: Client): Promise<unknown> {
  return reason;
}

describe('a protocol that is added to the list', () => {
  it('serves its path with the parameter, and its subprotocol', async () => {
    await using server = await serve({}, list);
    const client = await server.connect({}, '/t/a%2Fb?x=1', ['other', 'rooms.v1']);
    expect(client.socket.protocol).toBe('rooms.v1');
    client.socket.send('hello');
    expect(await client.messages(1)).toEqual(['a/b: hello']);
    expect(await metric('carillon_gateway_connections', { protocol: 'rooms' })).toBe(1);
    expect(await metric('carillon_gateway_messages_received_total', { protocol: 'rooms' })).toBe(1);
  });

  it('delivers publications in its own encoding', async () => {
    await using server = await serve({}, list);
    const clients = await Promise.all([server.connect({}, '/t/a'), server.connect({}, '/t/a')]);
    server.table.send('a', '1');
    for (const client of clients) expect(await client.messages(1)).toEqual(['room: 1']);
  });

  it('leaves the paths of the other protocols alone', async () => {
    await using server = await serve({}, list);
    for (const path of ['/t', '/t/', '/t/a/b']) expect((await server.refusal({}, path)).statusCode).toBe(404);
    await server.connect();
    await server.connect({}, '/connection/websocket');
  });

  it('responds to plain HTTP at its path with 426', async () => {
    await using server = await serve({}, list);
    const response = await fetch(`${server.url.replace('ws:', 'http:')}/t/a`);
    expect(response.status).toBe(426);
  });

  it('has settings of its own, and refuses a handshake with a status of its own', async () => {
    await using server = await serve({ rooms: { locked: ['vault'] } } as Settings, list);
    const response = await server.refusal({}, '/t/vault');
    expect(response.statusCode).toBe(423);
    expect(await metric('carillon_gateway_refused_handshakes_total', { reason: 'room_locked' })).toBe(1);
    // The refused client is not counted.
    await server.connect({}, '/t/lobby');
  });

  it('closes with codes of its own, while the other protocols keep theirs', async () => {
    await using server = await serve({}, list);
    const [leaver, stayer, raw] = await Promise.all([
      server.connect({}, '/t/a'),
      server.connect({}, '/t/a'),
      server.connect(),
    ]);
    leaver.socket.send('leave');
    expect(await closed(leaver)).toEqual({ code: 4100, reason: 'you left' });
    await server.app.close();
    expect(await closed(stayer)).toEqual({ code: 4001, reason: 'come back' });
    expect(await closed(raw)).toEqual({ code: 3001, reason: 'shutdown' });
    for (const code of ['4100', '4001', '3001'])
      expect(await metric('carillon_gateway_closes_total', { code })).toBe(1);
  });

  it('adds its part to the audience', async () => {
    await using server = await serve({ client: { insecure: true } }, list);
    for (const path of ['/t/a', '/t/b', '/message']) await server.connect({}, path);
    const { socket } = await server.connect({}, '/connection/websocket');
    socket.send('{"id":1,"connect":{}}');
    await once(socket, 'message');
    expect(server.table.audience?.()).toEqual({ numClients: 4, numUsers: 3 });
  });
});
