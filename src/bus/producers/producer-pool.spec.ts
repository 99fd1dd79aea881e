import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerStatus } from '../../metrics/index.js';
import { MemoryBus } from '../adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../adapters/memory/memory.options.js';
import { BusClosedError } from '../bus.errors.js';
import { ProducerPool } from './producer-pool.js';

/** Records the topics that were published over a connection. */
class RecordingBus extends MemoryBus {
  readonly published: string[] = [];
  closed = false;

  constructor() {
    super(memoryBusOptions.parse({}), new BrokerStatus('memory'));
  }

  override async publish(...[topic, records]: Parameters<MemoryBus['publish']>): Promise<void> {
    this.published.push(topic);
    await super.publish(topic, records);
  }

  override async close(): Promise<void> {
    this.closed = true;
    await super.close();
  }
}

describe('ProducerPool', () => {
  let members: RecordingBus[];
  let pool: ProducerPool;
  const open = async (size: object) => {
    pool = await ProducerPool.open(
      { minConnections: 1, maxConnections: 3, maxIdleMs: 1_000, ...size },
      async () => {
        const member = new RecordingBus();
        members.push(member);
        return member;
      },
    );
  };
  const record = [{ value: Buffer.from('x') }];

  beforeEach(() => {
    members = [];
  });
  afterEach(async () => {
    await pool.close();
    jest.useRealTimers();
  });

  it('uses one connection for each topic, and no more than the largest number', async () => {
    await open({});
    expect(pool.connections).toBe(1);
    const topics = ['a', 'b', 'a', 'c', 'd', 'a', 'e', 'b'];
    await Promise.all(topics.map((topic) => pool.publish(topic, record)));
    expect(pool.connections).toBe(3);
    for (const topic of topics)
      expect(members.filter(({ published }) => published.includes(topic))).toHaveLength(1);
  });

  it('closes idle connections, down to the smallest number', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    await open({ minConnections: 2 });
    for (const topic of ['a', 'b', 'c']) await pool.publish(topic, record);
    await jest.advanceTimersByTimeAsync(600);
    await pool.publish('c', record);
    await jest.advanceTimersByTimeAsync(900);
    expect(members.map(({ closed }) => closed)).toEqual([true, false, false]);
    await pool.publish('a', record);
    expect(pool.connections).toBeLessThanOrEqual(3);
  });

  it('closes all connections, and refuses later calls', async () => {
    await open({ minConnections: 2 });
    await Promise.all([pool.close(), pool.close()]);
    expect(members.map(({ closed }) => closed)).toEqual([true, true]);
    await expect(pool.publish('a', record)).rejects.toBeInstanceOf(BusClosedError);
  });
});
