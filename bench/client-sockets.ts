import { type ChildProcess, fork } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/** The protocol of the sockets: none, or Centrifugo's, where each is a different user and subscribed to `bench`. */
export type Protocol = 'raw' | 'centrifugo';

/** The secret that signs their tokens. */
export const TOKEN_SECRET = 'a secret of the bench';

const paths: Readonly<Record<Protocol, string>> = { raw: '/message', centrifugo: '/connection/websocket' };

function handshake(protocol: Protocol): string {
  return [
    `GET ${paths[protocol]} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');
}

/** Returns one text frame with both commands, masked with zeros. */
function connectFrame(user: string): Buffer {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: user, info: { name: `user ${user}` } };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  const signature = createHmac('sha256', TOKEN_SECRET).update(signed).digest('base64url');
  const text = Buffer.from(
    `{"id":1,"connect":{"token":"${signed}.${signature}"}}\n{"id":2,"subscribe":{"channel":"bench"}}`,
  );
  const header = Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([header, text]);
}

/** Many sockets in another process, so that measurements of this process are of the server alone. They only count bytes. */
export class ClientSockets implements AsyncDisposable {
  /** Bytes that all sockets have received after the handshake. */
  receivedBytes = 0;

  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (bytes: number) => (this.receivedBytes = bytes));
  }

  /** Resolves when all are connected. */
  static async connect(port: number, sockets: number, protocol: Protocol = 'raw'): Promise<ClientSockets> {
    const clients = new ClientSockets(fork(import.meta.filename, [String(port), String(sockets), protocol]));
    await once(clients.#process, 'message');
    return clients;
  }

  async untilReceived(bytes: number): Promise<void> {
    while (this.receivedBytes < bytes) await once(this.#process, 'message');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}

async function run(port: number, sockets: number, protocol: Protocol): Promise<void> {
  let bytes = 0;
  for (let i = 0; i < sockets; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.write(handshake(protocol));
    await once(socket, 'data');
    if (protocol === 'centrifugo') {
      socket.write(connectFrame(String(i)));
      await once(socket, 'data');
    }
    socket.on('data', ({ length }) => (bytes += length));
  }
  process.send?.(0);
  let reported = 0;
  setInterval(() => {
    if (bytes !== reported) process.send?.((reported = bytes));
  }, 2);
}

if (import.meta.main)
  await run(Number(process.argv[2]), Number(process.argv[3]), process.argv[4] as Protocol);
