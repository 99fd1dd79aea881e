import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

// Below the range for outgoing connections (from 32768 on Linux, from 49152 elsewhere), so that no connection gets the port
// of a broker while a test has stopped it.
const lowest = 20_000;
const highest = 32_000;

// Some time passes between finding a free port and binding it. To avoid conflicts, each Jest worker has its own part of the
// range and uses its ports in turn.
const parts = 4;
const portsPerPart = (highest - lowest) / parts;
const first = lowest + (Number(process.env['JEST_WORKER_ID'] ?? 0) % parts) * portsPerPart;
let taken = randomInt(portsPerPart);

function nextPort(): number {
  taken += 1;
  return first + (taken % portsPerPart);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = nextPort();
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found from ${first} on`);
}

export async function requireFree(port: number): Promise<void> {
  if (!(await isFree(port))) {
    throw new Error(
      `port ${port} is in use; if an earlier run left a broker there, run: npm run brokers -- stop`,
    );
  }
}

export async function acceptsConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
