import { randomUUID } from 'node:crypto';
import type { CarillonBus } from './carillon.ts';
import type { BrokerBench, Handle, Implementation } from './implementation.ts';

/** A JSON text of 100 bytes, because events are JSON. */
const value = Buffer.from(JSON.stringify({ text: 'x'.repeat(89) }));
const BATCH = 100;
/** Records per publish when a topic is filled for consuming. */
const FILL_BATCH = 1_000;

export interface Row {
  readonly title: string;
  /** Records per second, in the order of the rounds. */
  readonly byHand: readonly number[];
  readonly port: readonly number[];
  readonly events: readonly number[];
}

/** Runs one round of one implementation. Resolves with records per second. */
type Measurement = (implementation: Implementation) => Promise<number>;

const producing =
  (records: number, batchSize: number): Measurement =>
  async (implementation) => {
    const producer = await implementation.produce(`bench-${randomUUID()}`);
    const batch = Array.from({ length: batchSize }, () => value);
    // The first record waits for the topic.
    await producer.send(batch);
    const startedAt = performance.now();
    for (let sent = 0; sent < records; sent += batchSize) await producer.send(batch);
    const seconds = (performance.now() - startedAt) / 1_000;
    await producer.close();
    return records / seconds;
  };

/** Measures from the first to the last record, because joining the group should not count. */
const consuming =
  (topicOf: (implementation: Implementation) => string, records: number, batchSize: number): Measurement =>
  async (implementation) => {
    const { promise: finished, resolve } = Promise.withResolvers<number>();
    let handled = 0;
    let startedAt = 0;
    const handle: Handle = async ({ length }) => {
      if (handled === 0) startedAt = performance.now();
      handled += length;
      if (handled >= records) resolve(performance.now());
    };
    const end = await implementation.consume(topicOf(implementation), batchSize, handle);
    const seconds = ((await finished) - startedAt) / 1_000;
    await end();
    return records / seconds;
  };

async function filled(implementation: Implementation, records: number): Promise<string> {
  const topic = `bench-${randomUUID()}`;
  const producer = await implementation.produce(topic);
  const batch = Array.from({ length: FILL_BATCH }, () => value);
  for (let sent = 0; sent < records; sent += FILL_BATCH) await producer.send(batch);
  await producer.close();
  return topic;
}

/** Rounds are short and alternate, so that other load on the machine affects every implementation. The first round is a warm-up. */
async function compare(
  title: string,
  { byHand, port, events }: Record<'byHand' | 'port' | 'events', Implementation>,
  measurement: Measurement,
  rounds: number,
): Promise<Row> {
  const row = { title, byHand: [] as number[], port: [] as number[], events: [] as number[] };
  const implementations = [
    [byHand, row.byHand],
    [port, row.port],
    [events, row.events],
  ] as const;
  for (let round = 0; round <= rounds; round++)
    for (const [implementation, figures] of round % 2 === 0
      ? implementations
      : implementations.toReversed()) {
      const perSecond = await measurement(implementation);
      if (round > 0) figures.push(perSecond);
    }
  return row;
}

/** Runs the rows whose titles contain `only`, over one broker. */
export async function* measure(
  { byHand, amounts }: BrokerBench,
  { port, events }: CarillonBus,
  rounds: number,
  only: string,
): AsyncGenerator<Row> {
  const implementations = { byHand, port, events };
  const { producedSingly, producedInBatches, consumed } = amounts;
  const produce = { 'produce, one at a time': 1, [`produce, ${BATCH} at a time`]: BATCH };
  const consume = { 'consume, one at a time': 1, [`consume, ${BATCH} at a time`]: BATCH };
  const wanted = ([title]: [string, number]) => title.includes(only);
  for (const [title, size] of Object.entries(produce).filter(wanted))
    yield await compare(
      title,
      implementations,
      producing(size === 1 ? producedSingly : producedInBatches, size),
      rounds,
    );
  const toConsume = Object.entries(consume).filter(wanted);
  if (toConsume.length === 0) return;
  const [plain, emitted] = [await filled(byHand, consumed), await filled(events, consumed)];
  const topicOf = (implementation: Implementation) => (implementation === events ? emitted : plain);
  for (const [title, size] of toConsume)
    yield await compare(title, implementations, consuming(topicOf, consumed, size), rounds);
}
