import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

const HANDSHAKE = [
  'GET /message HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

/** Many sockets in a process of their own, so that a measure of this process is of the server alone. They only count bytes. */
export class Crowd implements AsyncDisposable {
  /** By all sockets, after the handshake. */
  receivedBytes = 0;

  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (bytes: number) => (this.receivedBytes = bytes));
  }

  /** Resolves when all are connected. */
  static async connect(port: number, sockets: number): Promise<Crowd> {
    const crowd = new Crowd(fork(import.meta.filename, [String(port), String(sockets)]));
    await once(crowd.#process, 'message');
    return crowd;
  }

  async hasReceived(bytes: number): Promise<void> {
    while (this.receivedBytes < bytes) await once(this.#process, 'message');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}

async function run(port: number, sockets: number): Promise<void> {
  let bytes = 0;
  for (let i = 0; i < sockets; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.write(HANDSHAKE);
    await once(socket, 'data');
    socket.on('data', ({ length }) => (bytes += length));
  }
  process.send?.(0);
  let reported = 0;
  setInterval(() => {
    if (bytes !== reported) process.send?.((reported = bytes));
  }, 2);
}

if (import.meta.main) await run(Number(process.argv[2]), Number(process.argv[3]));
