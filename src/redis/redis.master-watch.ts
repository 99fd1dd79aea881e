import { isIP, type Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { every } from '../async/index.js';

/** How to connect to a Sentinel. */
type SentinelOptions = Pick<
  RedisOptions,
  'host' | 'port' | 'password' | 'tls' | 'connectTimeout' | 'commandTimeout'
>;

const CHECK_EVERY_MS = 5_000;

/**
 * Asks the Sentinels regularly which server is the master, and reconnects if most of them name another one. The client learns of a
 * failover by a message of the Sentinels. If the message is lost and the former master stays reachable, the client would stay with
 * it, cut off from the processes that are connected to the new one.
 */
export function followMaster(client: Redis, sentinels: readonly SentinelOptions[], name: string): void {
  let timer: NodeJS.Timeout | undefined;
  client.on('ready', () => {
    clearInterval(timer);
    timer = every('check of the Redis master', CHECK_EVERY_MS, async () => {
      const { stream } = client;
      const master = await majorityOf(sentinels, name);
      const isStill = client.status === 'ready' && client.stream === stream;
      if (isStill && master !== undefined && master !== addressOf(stream)) client.disconnect(true);
    }).unref();
  });
  client.on('close', () => clearInterval(timer));
}

/** Returns the address that most of the Sentinels name, or undefined if they do not agree or use host names. */
async function majorityOf(sentinels: readonly SentinelOptions[], name: string): Promise<string | undefined> {
  const answers = await Promise.all(sentinels.map((sentinel) => masterAccordingTo(sentinel, name)));
  return answers.find(
    (answer) =>
      answer !== undefined && answers.filter((other) => other === answer).length > sentinels.length / 2,
  );
}

async function masterAccordingTo(sentinel: SentinelOptions, name: string): Promise<string | undefined> {
  const client = new Redis({ ...sentinel, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {}); // its calls reject as well
  try {
    await client.connect();
    const [host, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[];
    return isIP(host ?? '') === 0 ? undefined : address(host!, port!);
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

function addressOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return address(remoteAddress.replace(/^::ffff:/, ''), remotePort);
}

/** An IPv6 address has several notations. */
function address(host: string, port: string | number): string {
  return new URL(`redis://${isIP(host) === 6 ? `[${host}]` : host}:${port}`).host;
}
