import type { RedisClient } from '../../../../redis/index.js';
import type { DueBatch } from '../../../schedule/due-loop.js';
import type { RetryItem } from '../../../retries/retry-loop.js';
import {
  deadLetterSummary,
  type DeadLetterSummary,
  parseSummary,
  serializeSummary,
} from '../../../retries/dead-letter-summary.js';
import type { DeadLetterLimits } from '../../../retries/retry-store.options.js';
import { type RetryRecord, retryRecordFromBytes, retryRecordToBytes } from '../../../retries/retry-record.js';
import {
  withOutcome,
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterUsage,
  type RetryOutcome,
  redriven,
} from '../../../retries/retry-store.port.js';
import { redisCall } from '../call.js';
import type { ClaimAttempt } from '../repeatable-claim.js';
import * as deadLetterScripts from './dead-letter-scripts.js';
import * as scripts from './retry-scripts.js';

/** Id of a claimed record → the number of the claim. */
export type Claims = ReadonlyMap<string, string>;

/** The data of retry records in Redis. Every method is one atomic step there. */
export class RedisRetryRecords {
  readonly #record: string;
  readonly #claims: string;
  /** What the scripts for dead letters use. */
  readonly #deadKeys: readonly string[];

  constructor(
    private readonly client: RedisClient,
    private readonly keyPrefix: string,
  ) {
    this.#record = this.#key('record');
    this.#claims = this.#key('claims');
    const stores = ['dead', 'dead:summary', 'dead:time', 'dead:usage'];
    this.#deadKeys = [this.#record, ...stores.map((name) => this.#key(name))];
  }

  /** @param group the group of all these records */
  async add(group: string, records: readonly RetryRecord[], maxWaiting: number): Promise<boolean> {
    const orderingKeys = [...new Set(records.flatMap(({ orderingKey }) => orderingKey ?? []))];
    const args = records.flatMap((record) => [
      record.id,
      retryRecordToBytes(record),
      Math.ceil(record.dueAt),
      record.orderingKey === undefined ? 0 : orderingKeys.indexOf(record.orderingKey) + 1,
    ]);
    const keys = [
      this.#record,
      ...this.#of(group),
      ...orderingKeys.map((orderingKey) => this.#queueOf(group, orderingKey)),
    ];
    return (await scripts.add.run(this.client, keys, [maxWaiting, ...args])) === 1;
  }

  async blockedKeys(group: string, orderingKeys: readonly string[]): Promise<Set<string>> {
    if (orderingKeys.length === 0) return new Set();
    const keys = orderingKeys.map((orderingKey) => this.#queueOf(group, orderingKey));
    const reply = (await scripts.blockedKeys.run(this.client, keys, [])) as number[];
    return new Set(orderingKeys.filter((_, at) => reply[at] === 1));
  }

  /**
   * @param now by the caller's clock. A record is claimed only if it is due by this clock and by the clock of Redis.
   */
  async claim(
    group: string,
    now: number,
    leaseMs: number,
    limit: number,
    { claimant, number, isRepeated }: ClaimAttempt,
  ): Promise<DueBatch<RetryItem> & { readonly numbers: Claims }> {
    const [waiting, ready] = this.#of(group);
    const keys = [this.#record, ready, this.#claims, this.#claimedBy(claimant), waiting];
    const args = [now, leaseMs, limit, number, isRepeated ? 1 : 0];
    const reply = await scripts.claim.run(this.client, keys, args);
    const [waitMs, ...parts] = reply as [number, ...Buffer[]];
    const items: RetryItem[] = [];
    const numbers = new Map<string, string>();
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const message = retryRecordFromBytes(parts[at + 1]!);
      numbers.set(message.id, String(parts[at]));
      items.push({ message, attempt: message.attempts + 1 });
    }
    return { items, numbers, ...(waitMs < 0 ? {} : { nextInMs: waitMs }) };
  }

  /** Removes what is stored so that claims can be repeated. Called when the consumer makes no more claims. */
  async forgetClaims(claimant: string): Promise<void> {
    await redisCall(this.client.del(this.#claimedBy(claimant)));
  }

  /** Does nothing if another process has the lease now, unless the outcome is `handled`. */
  async conclude(record: RetryRecord, claim: string, outcome: RetryOutcome): Promise<void> {
    const { id, group } = record;
    const keys = [this.#record, ...this.#of(group), this.#claims];
    switch (outcome.kind) {
      case 'handled':
        await scripts.handled.run(this.client, [...keys, ...this.#queuesOf(record)], [id]);
        return;
      case 'retry':
        await scripts.retry.run(this.client, keys, [
          id,
          claim,
          retryRecordToBytes(withOutcome(record, outcome)),
          Math.ceil(outcome.dueAt),
        ]);
        return;
      case 'dead': {
        const dead = withOutcome(record, outcome);
        const [, , ...stores] = this.#deadKeys;
        await deadLetterScripts.deadLetter.run(
          this.client,
          [...keys, ...this.#indexesOf(record), ...stores, ...this.#queuesOf(record)],
          [id, claim, retryRecordToBytes(dead), serializeSummary(dead)],
        );
        return;
      }
      default:
        outcome satisfies never;
    }
  }

  async release({ id, group }: RetryRecord, claim: string, pauseMs: number): Promise<void> {
    const keys = [...this.#of(group), this.#claims];
    await scripts.release.run(this.client, keys, [id, claim, Math.ceil(pauseMs)]);
  }

  async extend(group: string, claims: Claims, leaseMs: number): Promise<void> {
    const keys = [...this.#of(group), this.#claims];
    await scripts.extend.run(this.client, keys, [leaseMs, ...[...claims].flat()]);
  }

  async find(id: string): Promise<RetryRecord | undefined> {
    const bytes = await redisCall(this.client.hgetBuffer(this.#record, id));
    return bytes === null ? undefined : retryRecordFromBytes(bytes);
  }

  async page({ group, topic, limit, cursor }: DeadLetterQuery): Promise<DeadLetterPage> {
    const keys = [this.#record, this.#index(group, topic), this.#key('dead:summary')];
    const args = [limit, ...(cursor === undefined ? [] : [cursor])];
    const [isCut, parts] = (await deadLetterScripts.page.run(this.client, keys, args)) as [number, Buffer[]];
    const records: DeadLetterSummary[] = [];
    for (let i = 0; i < parts.length; i += 2) {
      const [summary, bytes] = parts.slice(i, i + 2) as [Buffer, Buffer];
      records.push(
        summary.length > 0
          ? parseSummary(summary.toString())
          : deadLetterSummary(retryRecordFromBytes(bytes)),
      );
    }
    const last = records.at(-1);
    return isCut === 1 && last !== undefined ? { records, next: last.id } : { records };
  }

  async usage(): Promise<DeadLetterUsage> {
    const [deadLetters, fields] = await Promise.all([
      redisCall(this.client.zcard(this.#index())),
      redisCall(this.client.hmget(this.#key('dead:usage'), 'bytes', 'dropped')),
    ]);
    return { deadLetters, bytes: Number(fields[0] ?? 0), dropped: Number(fields[1] ?? 0) };
  }

  /** Drops dead letters that exceed the limits, and returns their number. */
  async dropExcess(limits: DeadLetterLimits): Promise<number> {
    const { maxDeadLetters, maxDeadLetterBytes, deadLetterTtlMs } = limits;
    const args = [maxDeadLetters, maxDeadLetterBytes, deadLetterTtlMs];
    let total = 0;
    for (;;) {
      const dropped = Number(await deadLetterScripts.dropExcess.run(this.client, this.#deadKeys, args));
      if (dropped === 0) return total;
      total += dropped;
    }
  }

  async redrive(record: RetryRecord, now: number): Promise<boolean> {
    const keys = [...this.#deadKeys, ...this.#of(record.group), ...this.#queuesOf(record)];
    const args = [record.id, retryRecordToBytes(redriven(record, now)), now];
    return (await deadLetterScripts.redrive.run(this.client, keys, args)) === 1;
  }

  async drop(record: RetryRecord): Promise<boolean> {
    return (await deadLetterScripts.drop.run(this.client, this.#deadKeys, [record.id])) === 1;
  }

  #of(group: string): [waiting: string, ready: string] {
    return [this.#key(`waiting:${group}`), this.#key(`ready:${group}`)];
  }

  /** Returns the key of the record's queue, or nothing if the record has no ordering key. */
  #queuesOf({ group, orderingKey }: RetryRecord): string[] {
    return orderingKey === undefined ? [] : [this.#queueOf(group, orderingKey)];
  }

  #queueOf(group: string, orderingKey: string): string {
    return this.#key(`line:${group}:${orderingKey}`);
  }

  #indexesOf({ group, topic }: RetryRecord): string[] {
    return [this.#index(), this.#index(group), this.#index(undefined, topic), this.#index(group, topic)];
  }

  #index(group?: string, topic?: string): string {
    if (group === undefined) return this.#key(topic === undefined ? 'dead' : `dead:topic:${topic}`);
    return this.#key(topic === undefined ? `dead:group:${group}` : `dead:both:${group}\0${topic}`);
  }

  #claimedBy(claimant: string): string {
    return this.#key(`claimed:${claimant}`);
  }

  #key(name: string): string {
    return `{${this.keyPrefix}:parked}:${name}`;
  }
}
