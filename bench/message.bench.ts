/**
 * What it costs to read a message from the record of a queue, and to write one: with little data and with much.
 *
 *   npm run build && node bench/message.bench.ts [seconds per row]
 */
import type * as MessageRoom from '../src/message/index.js';

const dist = process.env.CARILLON_DIST ?? new URL('../dist', import.meta.url).pathname;
const { newMessageId, toMessage, toRecord } = (await import(
  `${dist}/message/index.js`
)) as typeof MessageRoom;

const seconds = Number(process.argv[2] ?? 1);
/** Operations between two looks at the clock. */
const BATCH = 100;

/** An object with members of several types, as long as asked. */
function structured(bytes: number): Buffer {
  const items: object[] = [];
  const item = { id: 17, name: 'Anna Müller', price: 12.5, tags: ['a', 'b'], paid: true, note: null };
  const size = JSON.stringify(item).length + 1;
  for (let length = 12; length + size <= bytes; length += size) items.push(item);
  return Buffer.from(JSON.stringify({ items }));
}

function text(bytes: number): Buffer {
  return Buffer.from(JSON.stringify({ text: 'x'.repeat(bytes - 11) }));
}

function measure(name: string, work: () => unknown): void {
  const run = (ms: number): number => {
    let done = 0;
    for (const until = performance.now() + ms; performance.now() < until; done += BATCH)
      for (let index = 0; index < BATCH; index++) work();
    return done;
  };
  run(300);
  const before = process.cpuUsage();
  const done = run(seconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  console.log(`${name.padEnd(34)} ${((user + system) / done).toFixed(2).padStart(8)} µs CPU each`);
}

for (const [shape, make] of Object.entries({ structured, text })) {
  for (const bytes of [100, 1_000, 60_000]) {
    const message = {
      id: newMessageId(),
      channel: 'orders:anna',
      data: make(bytes),
      format: 'json',
      createdAt: Date.now(),
    } as const;
    const { headers, value } = toRecord(message);
    const record = {
      topic: 'carillon.instant',
      partition: 0,
      position: '1',
      headers: headers!,
      value,
      publishedAt: 1,
      attempt: 1,
    };
    measure(`toMessage, ${shape}, ${bytes} bytes`, () => toMessage(record));
    if (bytes === 100) measure(`toRecord, ${shape}, ${bytes} bytes`, () => toRecord(message));
  }
}
