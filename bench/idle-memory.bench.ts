/**
 * Measures the memory of an idle connection: of the gateway's raw socket, of the complete server with an authenticated,
 * subscribed client of the Centrifugo protocol, or of plain `ws`. One of them per run, because a second one would reuse the
 * memory that the first one has freed.
 *
 *   npm run build && node --expose-gc bench/idle-memory.bench.ts gateway|centrifugo|ws [sockets]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ClientSockets } from './client-sockets.ts';
import { centrifugo, gateway, plainWs, type Target } from './targets.ts';

const sockets = Number(process.argv[3] ?? 5_000);

async function settled(): Promise<NodeJS.MemoryUsage> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await delay(100);
  }
  return process.memoryUsage();
}

async function measure(name: string, open: () => Promise<Target>): Promise<void> {
  await using target = await open();
  // One-time allocations and compiled code do not belong to a connection.
  {
    await using _ = await ClientSockets.connect(target.port, 500, target.protocol);
  }
  const before = await settled();
  const cpuBefore = process.cpuUsage();
  await using _ = await ClientSockets.connect(target.port, sockets, target.protocol);
  const cpu = process.cpuUsage(cpuBefore);
  const after = await settled();
  const kib = (of: 'rss' | 'heapUsed' | 'external') => ((after[of] - before[of]) / sockets / 1024).toFixed(1);
  const connectMicros = ((cpu.user + cpu.system) / sockets).toFixed(0);
  console.log(
    `${name.padEnd(10)} resident ${kib('rss')} KiB  heap ${kib('heapUsed')} KiB  external ${kib('external')} KiB  connect ${connectMicros} µs CPU`,
  );
}

const targets: Readonly<Record<string, () => Promise<Target>>> = { gateway, centrifugo, ws: plainWs };
const name = process.argv[2] ?? 'gateway';
await measure(name, targets[name] ?? gateway);
