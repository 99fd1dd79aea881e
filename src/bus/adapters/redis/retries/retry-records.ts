import type { RedisClient } from '../../../../redis/index.js';
import type { DueBatch } from '../../../schedule/due-loop.js';
import type { ParkedClaim } from '../../../retries/retry-loop.js';
import { type ParkedRecord, parkedFromBytes, parkedToBytes } from '../../../retries/retry-record.js';
import {
  afterFate,
  type DeadLetterPage,
  type DeadLetterQuery,
  type Fate,
  redriven,
} from '../../../retries/retry-store.port.js';
import { redisCall } from '../call.js';
import * as scripts from './retry-scripts.js';

/** A claim's number, by the id of what is claimed. */
export type Claims = ReadonlyMap<string, string>;

/** The data of parked records in Redis. Every method is one step there. */
export class RedisParkedStore {
  readonly #record: string;
  readonly #claims: string;

  constructor(
    private readonly client: RedisClient,
    private readonly keyPrefix: string,
  ) {
    this.#record = this.#key('record');
    this.#claims = this.#key('claims');
  }

  /** @param group of all the records */
  async park(group: string, records: readonly ParkedRecord[], maxWaiting: number): Promise<boolean> {
    const lines = [...new Set(records.flatMap(({ line }) => line ?? []))];
    const args = records.flatMap((record) => [
      record.id,
      parkedToBytes(record),
      Math.ceil(record.dueAt),
      record.line === undefined ? 0 : lines.indexOf(record.line) + 1,
    ]);
    const keys = [this.#record, ...this.#of(group), ...lines.map((line) => this.#line(group, line))];
    return (await scripts.park.run(this.client, keys, [maxWaiting, ...args])) === 1;
  }

  async occupied(group: string, lines: readonly string[]): Promise<Set<string>> {
    if (lines.length === 0) return new Set();
    const keys = lines.map((line) => this.#line(group, line));
    const answer = (await scripts.occupied.run(this.client, keys, [])) as number[];
    return new Set(lines.filter((_, at) => answer[at] === 1));
  }

  /** @param now the caller's clock: nothing is claimed before its time by that, nor by the clock of Redis */
  async claim(
    group: string,
    now: number,
    leaseMs: number,
    limit: number,
  ): Promise<DueBatch<ParkedClaim> & { readonly numbers: Claims }> {
    const [, ready] = this.#of(group);
    const keys = [this.#record, ready, this.#claims];
    const answer = await scripts.claim.run(this.client, keys, [now, leaseMs, limit]);
    const [waitMs, ...parts] = answer as [number, ...Buffer[]];
    const claims: ParkedClaim[] = [];
    const numbers = new Map<string, string>();
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const message = parkedFromBytes(parts[at + 1]!);
      numbers.set(message.id, String(parts[at]));
      claims.push({ message, attempt: message.attempts + 1 });
    }
    return { claims, numbers, ...(waitMs < 0 ? {} : { nextInMs: waitMs }) };
  }

  /** Does nothing where another holds the record meanwhile, unless it was handled. */
  async conclude(record: ParkedRecord, claim: string, fate: Fate): Promise<void> {
    const { id, group } = record;
    const keys = [this.#record, ...this.#of(group), this.#claims];
    switch (fate.kind) {
      case 'handled':
        await scripts.handled.run(this.client, [...keys, ...this.#lineOf(record)], [id]);
        return;
      case 'again':
        await scripts.again.run(this.client, keys, [
          id,
          claim,
          parkedToBytes(afterFate(record, fate)),
          Math.ceil(fate.dueAt),
        ]);
        return;
      case 'dead':
        await scripts.bury.run(
          this.client,
          [...keys, ...this.#indexesOf(record), ...this.#lineOf(record)],
          [id, claim, parkedToBytes(afterFate(record, fate))],
        );
        return;
      default:
        fate satisfies never;
    }
  }

  async release({ id, group }: ParkedRecord, claim: string, pauseMs: number): Promise<void> {
    const keys = [...this.#of(group), this.#claims];
    await scripts.release.run(this.client, keys, [id, claim, Math.ceil(pauseMs)]);
  }

  async extend(group: string, claims: Claims, leaseMs: number): Promise<void> {
    const keys = [...this.#of(group), this.#claims];
    await scripts.extend.run(this.client, keys, [leaseMs, ...[...claims].flat()]);
  }

  async find(id: string): Promise<ParkedRecord | undefined> {
    const bytes = await redisCall(this.client.hgetBuffer(this.#record, id));
    return bytes === null ? undefined : parkedFromBytes(bytes);
  }

  async page({ group, topic, limit, cursor }: DeadLetterQuery): Promise<DeadLetterPage> {
    const keys = [this.#record, this.#index(group, topic)];
    // One more than asked for tells whether there is a next page.
    const args = [limit + 1, ...(cursor === undefined ? [] : [cursor])];
    const found = ((await scripts.page.run(this.client, keys, args)) as Buffer[]).map(parkedFromBytes);
    const records = found.slice(0, limit);
    const last = records.at(-1);
    return found.length > limit && last !== undefined ? { records, next: last.id } : { records };
  }

  async redrive(record: ParkedRecord, now: number): Promise<boolean> {
    const keys = [
      this.#record,
      ...this.#of(record.group),
      ...this.#indexesOf(record),
      ...this.#lineOf(record),
    ];
    const args = [record.id, parkedToBytes(redriven(record, now)), now];
    return (await scripts.redrive.run(this.client, keys, args)) === 1;
  }

  async drop(record: ParkedRecord): Promise<boolean> {
    const keys = [this.#record, ...this.#indexesOf(record)];
    return (await scripts.drop.run(this.client, keys, [record.id])) === 1;
  }

  #of(group: string): [waiting: string, ready: string] {
    return [this.#key(`waiting:${group}`), this.#key(`ready:${group}`)];
  }

  #lineOf({ group, line }: ParkedRecord): string[] {
    return line === undefined ? [] : [this.#line(group, line)];
  }

  #line(group: string, line: string): string {
    return this.#key(`line:${group}:${line}`);
  }

  #indexesOf({ group, topic }: ParkedRecord): string[] {
    return [this.#index(), this.#index(group), this.#index(undefined, topic), this.#index(group, topic)];
  }

  #index(group?: string, topic?: string): string {
    if (group === undefined) return this.#key(topic === undefined ? 'dead' : `dead:topic:${topic}`);
    return this.#key(topic === undefined ? `dead:group:${group}` : `dead:both:${group}\0${topic}`);
  }

  #key(name: string): string {
    return `{${this.keyPrefix}:parked}:${name}`;
  }
}
