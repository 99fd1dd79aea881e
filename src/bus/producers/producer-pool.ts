import { every, Semaphore } from '../../async/index.js';
import { BusClosedError } from '../bus.errors.js';
import type { Bus } from '../bus.port.js';
import type { PoolSize } from './pool.options.js';
import type { OutgoingRecord } from '../../message/index.js';

interface Member {
  readonly bus: Bus;
  readonly topics: Set<string>;
  publishes: number;
  usedAt: number;
}

/**
 * A pool of connections to publish with. Each topic uses one connection, so that its order is kept. A new topic gets its own
 * connection until the pool has `maxConnections`.
 */
export class ProducerPool {
  readonly #members: Member[] = [];
  readonly #byTopic = new Map<string, Promise<Member>>();
  readonly #sweeper: NodeJS.Timeout;
  #lastNumber = 0;
  /** Assigns connections to topics one at a time, so that there are never more than `maxConnections`. */
  readonly #assigning = new Semaphore(1);
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly size: PoolSize,
    private readonly openMember: (number: number) => Promise<Bus>,
  ) {
    this.#sweeper = every('closing of idle producers', size.maxIdleMs / 2, () => this.#closeIdle());
  }

  /** Resolves when `minConnections` are open. */
  static async open(size: PoolSize, openMember: (number: number) => Promise<Bus>): Promise<ProducerPool> {
    const pool = new ProducerPool(size, openMember);
    try {
      for (let count = 0; count < size.minConnections; count++) await pool.#grow();
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get connections(): number {
    return this.#members.length;
  }

  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed !== undefined) throw new BusClosedError();
    const member = await this.#memberFor(topic);
    member.publishes++;
    try {
      await member.bus.publish(topic, records);
    } finally {
      member.publishes--;
      member.usedAt = performance.now();
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#assigning.close();
    await this.#assigning.idle();
    await Promise.all(this.#members.map(({ bus }) => bus.close()));
  }

  #memberFor(topic: string): Promise<Member> {
    let member = this.#byTopic.get(topic);
    if (member === undefined) {
      member = this.#assign(topic);
      member.catch(() => this.#byTopic.delete(topic));
      this.#byTopic.set(topic, member);
    }
    return member;
  }

  async #assign(topic: string): Promise<Member> {
    if (!(await this.#assigning.acquire())) throw new BusClosedError();
    try {
      return await this.#memberWithFewestTopics(topic);
    } finally {
      this.#assigning.release();
    }
  }

  async #memberWithFewestTopics(topic: string): Promise<Member> {
    const [least] = this.#members.toSorted((a, b) => a.topics.size - b.topics.size);
    const mayGrow = this.#members.length < this.size.maxConnections;
    const member = least === undefined || (least.topics.size > 0 && mayGrow) ? await this.#grow() : least;
    member.topics.add(topic);
    member.usedAt = performance.now();
    return member;
  }

  async #grow(): Promise<Member> {
    const bus = await this.openMember(++this.#lastNumber);
    const member = { bus, topics: new Set<string>(), publishes: 0, usedAt: performance.now() };
    this.#members.push(member);
    return member;
  }

  async #closeIdle(): Promise<void> {
    const longAgo = performance.now() - this.size.maxIdleMs;
    const idle = this.#members.filter(({ publishes, usedAt }) => publishes === 0 && usedAt <= longAgo);
    const surplus = idle.slice(0, Math.max(0, this.#members.length - this.size.minConnections));
    for (const member of surplus) {
      this.#members.splice(this.#members.indexOf(member), 1);
      for (const topic of member.topics) this.#byTopic.delete(topic);
    }
    await Promise.all(surplus.map(({ bus }) => bus.close()));
  }
}
