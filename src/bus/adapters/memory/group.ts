import { Logger } from '@nestjs/common';
import type { BusSubscription, PartitionLag, RecordHandler } from '../../bus.port.js';
import type { ReceivedRecord } from '../../../message/index.js';
import { backoffMs, settlesWithin } from '../../../async/index.js';
import type { MemoryBusOptions } from './memory.options.js';
import type { MemoryPartition, MemoryTopic } from './topic.js';

interface Member {
  readonly topics: ReadonlySet<string>;
  readonly maxBatchSize: number;
  readonly concurrency: number;
  readonly handler: RecordHandler;
  readonly atWork: Set<Promise<void>>;
  paused: boolean;
}

/** A group's place in one partition. One handler at most has its records at a time. */
interface Cursor {
  readonly partition: MemoryPartition;
  next: number;
  /** The batch that was rejected last, to come again as it was. */
  rejected: readonly ReceivedRecord[] | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  state: 'idle' | 'ready' | 'held';
}

/** A consumer group in memory: members share the partitions, whichever is free takes the one that waits longest. */
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

  /** Records published to this group and not yet acknowledged by it. */
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
      }));
  }

  reads(topic: MemoryTopic): boolean {
    const [first] = topic.partitions;
    return first !== undefined && this.#cursors.has(first);
  }

  /** From here on the group receives what is published to `topic`, with members or without. */
  follow(topic: MemoryTopic, from: 'earliest' | 'latest'): void {
    if (this.reads(topic)) return;
    for (const partition of topic.partitions) {
      const next = from === 'earliest' ? partition.start : partition.end;
      const cursor: Cursor = { partition, next, rejected: undefined, retryTimer: undefined, state: 'idle' };
      this.#cursors.set(partition, cursor);
      partition.settle(this, next);
      this.#pending += partition.end - next;
      this.#offer(cursor);
    }
  }

  appended(partition: MemoryPartition): void {
    const cursor = this.#cursors.get(partition);
    if (cursor === undefined) return;
    this.#pending++;
    this.#offer(cursor);
  }

  join(
    topics: readonly string[],
    limits: { maxBatchSize: number; concurrency: number },
    handler: RecordHandler,
  ): BusSubscription {
    const member: Member = { topics: new Set(topics), ...limits, handler, atWork: new Set(), paused: false };
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

  /** Lets the members empty the queues, unless that takes too long, and then leave. */
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
      this.#logger.warn(`closed with ${this.#pending} records of group ${this.name} waiting`);
  }

  async #leave(member: Member): Promise<void> {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    await settlesWithin(this.options.drainTimeoutMs, Promise.all(member.atWork));
  }

  #offer(cursor: Cursor): void {
    if (cursor.state !== 'idle' || cursor.next >= cursor.partition.end) return;
    cursor.state = 'ready';
    this.#ready.push(cursor);
    this.#pump();
  }

  /** Deferred to the end of the event-loop turn, so that what is published in one turn arrives in one batch. */
  #pump(): void {
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined;
      const waiting = this.#ready.splice(0);
      for (const cursor of waiting) {
        const member = this.#freeMember(cursor.partition.topic);
        if (member === undefined) this.#ready.push(cursor);
        else this.#hand(cursor, member);
      }
    });
  }

  #freeMember(topic: string): Member | undefined {
    let free: Member | undefined;
    for (const member of this.#members) {
      const able = !member.paused && member.atWork.size < member.concurrency && member.topics.has(topic);
      if (able && (free === undefined || member.atWork.size < free.atWork.size)) free = member;
    }
    return free;
  }

  #hand(cursor: Cursor, member: Member): void {
    cursor.state = 'held';
    const records = cursor.rejected ?? cursor.partition.read(cursor.next, member.maxBatchSize);
    const work = this.#settle(cursor, records, member).finally(() => {
      member.atWork.delete(work);
      this.#pump();
    });
    member.atWork.add(work);
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
    this.#offer(cursor);
  }

  #retryLater(cursor: Cursor, records: readonly ReceivedRecord[], error: unknown): void {
    const { retryInitialDelayMs, retryMaxDelayMs } = this.options;
    const attempt = records[0]?.attempt ?? 1;
    const delayMs = backoffMs(attempt, retryInitialDelayMs, retryMaxDelayMs);
    const { topic, partition, position } = records[0] ?? { topic: '', partition: 0, position: '' };
    this.#logger.warn(
      `group ${this.name} rejected ${records.length} record(s) from ${topic}/${partition}/${position}, ` +
        `attempt ${attempt}, again in ${delayMs} ms: ${String(error)}`,
    );
    cursor.rejected = records.map((record) => ({ ...record, attempt: attempt + 1 }));
    cursor.retryTimer = setTimeout(() => {
      cursor.state = 'idle';
      this.#offer(cursor);
    }, delayMs);
  }
}
