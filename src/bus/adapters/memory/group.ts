import { Logger } from '@nestjs/common';
import type { BusSubscription, PartitionLag, RecordHandler } from '../../bus.port.js';
import type { ReceivedRecord } from '../../../message/index.js';
import { after, backoffMs, endOfTurn, settlesWithin } from '../../../async/index.js';
import type { MemoryBusOptions } from './memory.options.js';
import type { MemoryPartition, MemoryTopic } from './topic.js';

interface Member {
  readonly topics: ReadonlySet<string>;
  readonly maxBatchSize: number;
  readonly concurrency: number;
  readonly handler: RecordHandler;
  readonly running: Set<Promise<void>>;
  paused: boolean;
}

/** The position of a group in one partition. At most one handler has records of the partition at a time. */
interface Cursor {
  readonly partition: MemoryPartition;
  next: number;
  /** The batch that was rejected last. It is delivered again unchanged. */
  rejected: readonly ReceivedRecord[] | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  state: 'idle' | 'ready' | 'held';
}

/** A consumer group in memory. A member that has a free slot takes the partition that has waited longest. */
export class MemoryGroup {
  readonly #logger = new Logger('MemoryBus');
  readonly #cursors = new Map<MemoryPartition, Cursor>();
  readonly #members: Member[] = [];
  readonly #ready: Cursor[] = [];
  #pending = 0;
  #pumping: NodeJS.Immediate | undefined;
  #emptied: (() => void) | undefined;

  constructor(
    readonly name: string,
    private readonly options: MemoryBusOptions,
  ) {}

  /** The number of records that the group has not acknowledged. */
  get pending(): number {
    return this.#pending;
  }

  lag(topics: readonly string[]): PartitionLag[] {
    return [...this.#cursors.values()]
      .filter(({ partition }) => topics.includes(partition.topic))
      .map(({ partition, next }) => ({
        topic: partition.topic,
        partition: partition.number,
        records: partition.end - next,
        acknowledged: String(next),
      }));
  }

  reads(topic: MemoryTopic): boolean {
    const [first] = topic.partitions;
    return first !== undefined && this.#cursors.has(first);
  }

  /** From now on the group receives the records of `topic`, even while it has no members. */
  follow(topic: MemoryTopic, from: 'earliest' | 'latest'): void {
    if (this.reads(topic)) return;
    for (const partition of topic.partitions) {
      const next = from === 'earliest' ? partition.start : partition.end;
      const cursor: Cursor = { partition, next, rejected: undefined, retryTimer: undefined, state: 'idle' };
      this.#cursors.set(partition, cursor);
      partition.settle(this, next);
      this.#pending += partition.end - next;
      this.#markReady(cursor);
    }
  }

  appended(partition: MemoryPartition): void {
    const cursor = this.#cursors.get(partition);
    if (cursor === undefined) return;
    this.#pending++;
    this.#markReady(cursor);
  }

  join(
    topics: readonly string[],
    limits: { maxBatchSize: number; concurrency: number },
    handler: RecordHandler,
  ): BusSubscription {
    const member: Member = { topics: new Set(topics), ...limits, handler, running: new Set(), paused: false };
    this.#members.push(member);
    this.#pump();
    return {
      pause: () => {
        member.paused = true;
      },
      resume: () => {
        member.paused = false;
        this.#pump();
      },
      close: () => this.#leave(member),
    };
  }

  /** Waits until the members have emptied the queues, at most `drainTimeoutMs`. Then the members leave. */
  async close(): Promise<void> {
    if (this.#pending > 0 && this.#members.some((member) => !member.paused)) {
      const { promise: emptied, resolve } = Promise.withResolvers<void>();
      this.#emptied = resolve;
      await settlesWithin(this.options.drainTimeoutMs, emptied);
    }
    await Promise.all(this.#members.map((member) => this.#leave(member)));
    for (const cursor of this.#cursors.values()) clearTimeout(cursor.retryTimer);
    clearImmediate(this.#pumping);
    if (this.#pending > 0)
      this.#logger.warn(
        `consumer group ${this.name}: closed with ${this.#pending} unacknowledged record(s), which are lost`,
      );
  }

  async #leave(member: Member): Promise<void> {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    await settlesWithin(this.options.drainTimeoutMs, Promise.all(member.running));
  }

  #markReady(cursor: Cursor): void {
    if (cursor.state !== 'idle' || cursor.next >= cursor.partition.end) return;
    cursor.state = 'ready';
    this.#ready.push(cursor);
    this.#pump();
  }

  /** Runs at the end of the event-loop turn, so that records that are published in one turn arrive in one batch. */
  #pump(): void {
    this.#pumping ??= endOfTurn('assignment of records', () => {
      this.#pumping = undefined;
      const waiting = this.#ready.splice(0);
      for (const cursor of waiting) {
        const member = this.#freeMember(cursor.partition.topic);
        if (member === undefined) this.#ready.push(cursor);
        else this.#assign(cursor, member);
      }
    });
  }

  #freeMember(topic: string): Member | undefined {
    let free: Member | undefined;
    for (const member of this.#members) {
      const canTake = !member.paused && member.running.size < member.concurrency && member.topics.has(topic);
      if (canTake && (free === undefined || member.running.size < free.running.size)) free = member;
    }
    return free;
  }

  #assign(cursor: Cursor, member: Member): void {
    cursor.state = 'held';
    const records = cursor.rejected ?? cursor.partition.read(cursor.next, member.maxBatchSize);
    const work = this.#settle(cursor, records, member).finally(() => {
      member.running.delete(work);
      this.#pump();
    });
    member.running.add(work);
  }

  async #settle(cursor: Cursor, records: readonly ReceivedRecord[], member: Member): Promise<void> {
    try {
      await member.handler(records);
    } catch (error) {
      this.#retryLater(cursor, records, error);
      return;
    }
    cursor.rejected = undefined;
    cursor.next += records.length;
    cursor.state = 'idle';
    cursor.partition.settle(this, cursor.next);
    this.#pending -= records.length;
    if (this.#pending === 0) this.#emptied?.();
    this.#markReady(cursor);
  }

  #retryLater(cursor: Cursor, records: readonly ReceivedRecord[], error: unknown): void {
    const { retryInitialDelayMs, retryMaxDelayMs } = this.options;
    const attempt = records[0]?.attempt ?? 1;
    const delayMs = backoffMs(attempt, retryInitialDelayMs, retryMaxDelayMs);
    const { topic, partition, position } = records[0] ?? { topic: '', partition: 0, position: '' };
    this.#logger.warn(
      `consumer group ${this.name}: handler rejected ${records.length} record(s) from ${topic}/${partition}/${position} ` +
        `(attempt ${attempt}), retrying in ${delayMs} ms: ${String(error)}`,
    );
    cursor.rejected = records.map((record) => ({ ...record, attempt: attempt + 1 }));
    cursor.retryTimer = after('retry of rejected records', delayMs, () => {
      cursor.state = 'idle';
      this.#markReady(cursor);
    });
  }
}
