/**
 * Measures deliveries of one process to many sockets: the gateway, compared with `ws.send` per client.
 *
 *   npm run build && node bench/outbox.bench.ts [sockets] [seconds per row]
 */
import { setImmediate as turn } from 'node:timers/promises';
import { ClientSockets } from './client-sockets.ts';
import { gateway, PAYLOAD, plainWs, type Target } from './targets.ts';

const FRAME_BYTES = PAYLOAD.length + 2;
/** Publications in flight at a time, so that no client counts as slow. */
const WINDOW = 400;

const [sockets, seconds] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 3)];

async function measure(name: string, open: () => Promise<Target>, perTurn: number): Promise<void> {
  await using target = await open();
  await using clients = await ClientSockets.connect(target.port, sockets);
  const roundBytes = sockets * FRAME_BYTES;
  let published = 0;
  const publishFor = async (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      for (let i = 0; i < perTurn && published - clients.receivedBytes / roundBytes < WINDOW; i++) {
        target.publish();
        published++;
      }
      await turn();
    }
    await clients.untilReceived(published * roundBytes);
  };
  await publishFor(500);
  const [before, cpuBefore, startedAt] = [published, process.cpuUsage(), performance.now()];
  await publishFor(seconds * 1000);
  const cpu = process.cpuUsage(cpuBefore);
  const deliveries = (published - before) * sockets;
  const rate = Math.round((deliveries * 1000) / (performance.now() - startedAt));
  const each = ((cpu.user + cpu.system) / deliveries).toFixed(2);
  console.log(
    `${name.padEnd(12)} ${String(perTurn).padStart(4)} per turn  ${rate.toLocaleString('en').padStart(10)} deliveries/s  ${each} µs CPU each`,
  );
}

for (const perTurn of [1, 10, 100]) {
  await measure('gateway', gateway, perTurn);
  await measure('ws.send', plainWs, perTurn);
}
