import type { BrokerStatus } from '../../../../metrics/index.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../../redis/index.js';
import { fromBytes, toBytes, type ScheduledMessage } from '../../../../message/index.js';
import {
  type LedgerClaim,
  type LedgerOptions,
  ScheduleLedger,
} from '../../../schedule/schedule-ledger.port.js';
import { summaryOf } from '../../../schedule/schedule-summary.js';
import type {
  ScheduledSummary,
  SchedulePage,
  ScheduleQuery,
  ScheduleUsage,
} from '../../../schedule/schedule.port.js';
import { costArguments, readUsage, throwIfRefused, toSummary } from './schedule-cost.js';
import * as scripts from './ledger-scripts.js';
import type { RedisScript } from '../script.js';

/** Number of digits of the due time in an index. A full stop follows them. */
const TIME_DIGITS = 16;

/**
 * The ledger in Redis, shared by all processes with the same key prefix. All its keys share one hash tag, so that a
 * script may use several of them in a Cluster: one node holds the ledger.
 */
export class RedisLedger extends ScheduleLedger {
  readonly durable = true;
  readonly shared = true;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly options: RedisDriverOptions & LedgerOptions,
  ) {
    super();
  }

  /** Resolves when Redis is connected, or when the first attempt failed. */
  static async open(options: RedisDriverOptions & LedgerOptions, status: BrokerStatus): Promise<RedisLedger> {
    return new RedisLedger(await openRedis(options, status), options);
  }

  async record(message: ScheduledMessage, owner?: string): Promise<boolean> {
    const { id, channel, dueAt } = message;
    const reply = await this.#onEntry(
      scripts.record,
      id,
      Math.ceil(dueAt),
      channel,
      toBytes(message),
      this.options.rememberMs,
      ...costArguments(message, owner, this.options),
    );
    throwIfRefused(reply, this.options);
    return reply === 1;
  }

  async confirm(id: string): Promise<void> {
    await this.#onEntry(scripts.confirm, id);
  }

  async abandon(id: string): Promise<void> {
    await this.#onEntry(scripts.abandon, id, this.options.rememberMs);
  }

  async claim(id: string, token: string): Promise<LedgerClaim> {
    const { leaseMs, rememberMs } = this.options;
    const parts = [leaseMs, rememberMs, token];
    const reply = (await this.#onEntry(scripts.claim, id, ...parts)) as [Buffer, number, number?];
    const [outcome, first, second] = reply;
    switch (outcome.toString()) {
      case 'claimed':
        return { outcome: 'claimed', lease: first, ...(second == null ? {} : { dueAt: second }) };
      case 'early':
        return { outcome: 'early', dueAt: first, waitMs: second! };
      case 'leased':
        return { outcome: 'leased', waitMs: first };
      default:
        return { outcome: 'gone' };
    }
  }

  async extend(id: string, lease: number): Promise<void> {
    await this.#onEntry(scripts.renew, id, lease, this.options.leaseMs);
  }

  async release(id: string, lease: number): Promise<void> {
    await this.#onEntry(scripts.renew, id, lease, 0);
  }

  async giveUp(id: string, lease: number): Promise<void> {
    await this.#onEntry(scripts.giveUp, id, lease, this.options.rememberMs);
  }

  async settle(id: string): Promise<void> {
    await this.#onEntry(scripts.settle, id, this.options.rememberMs);
  }

  async cancel(id: string): Promise<boolean> {
    return (await this.#onEntry(scripts.cancel, id, this.options.rememberMs)) === 1;
  }

  async move(id: string, dueAt: number, from?: number): Promise<number | undefined> {
    const rest = [Math.ceil(dueAt), from === undefined ? '' : Math.ceil(from), this.options.rememberMs];
    return ((await this.#onEntry(scripts.move, id, ...rest)) as number | null) ?? undefined;
  }

  async find(id: string): Promise<ScheduledMessage | undefined> {
    const found = (await this.#onEntry(scripts.find, id)) as [Buffer, Buffer, Buffer] | null;
    if (!found) return undefined;
    const [channel, dueAt, bytes] = found;
    return fromBytes({ id, channel: channel.toString(), dueAt: Number(dueAt.toString()) }, bytes);
  }

  async list({ channel, limit, cursor = '' }: ScheduleQuery): Promise<SchedulePage> {
    const index = this.#key(channel === undefined ? 'pending' : `pending:${channel}`);
    const keys = [index, this.#key('costs'), this.#key('usage')];
    const reply = await scripts.list.run(this.client, keys, [cursor, limit, this.#key('entry:')]);
    const [isCut, parts] = reply as [number, Buffer[]];
    const messages: ScheduledSummary[] = [];
    let last = '';
    for (let i = 0; i < parts.length; i += 4) {
      const [member, inChannel, summary, bytes] = parts.slice(i, i + 4) as [Buffer, Buffer, Buffer, Buffer];
      last = member.toString();
      const dueAt = Number(last.slice(0, TIME_DIGITS));
      const id = last.slice(TIME_DIGITS + 1);
      messages.push(
        summary.length > 0
          ? toSummary(id, dueAt, summary)
          : summaryOf(fromBytes({ id, channel: inChannel.toString(), dueAt }, bytes)),
      );
    }
    return { messages, ...(isCut === 1 ? { next: last } : {}) };
  }

  usage(): Promise<ScheduleUsage> {
    return readUsage(this.client, this.#key('usage'));
  }

  close(): Promise<void> {
    return (this.#closed ??= closeRedis(this.client));
  }

  /** Runs a script on the entry of the id and the index of pending messages. */
  #onEntry(
    script: RedisScript,
    id: string,
    ...rest: readonly (string | number | Buffer)[]
  ): Promise<unknown> {
    const keys = [this.#key(`entry:${id}`), this.#key('pending'), this.#key('costs'), this.#key('usage')];
    return script.run(this.client, keys, [id, this.#key('pending:'), ...rest]);
  }

  #key(name: string): string {
    return `{${this.options.keyPrefix}:ledger}:${name}`;
  }
}
