import type { RedisClient } from '../../../../redis/index.js';
import type { DueBatch, DueItem } from '../../../schedule/due-loop.js';
import type { ScheduleLimits } from '../../../lanes/delayed-lane.options.js';
import { fromBytes, toBytes, type ScheduledMessage } from '../../../../message/index.js';
import { summaryOf } from '../../../schedule/schedule-summary.js';
import type {
  ScheduledSummary,
  SchedulePage,
  ScheduleQuery,
  ScheduleUsage,
} from '../../../schedule/schedule.port.js';
import { redisCall } from '../call.js';
import type { ClaimAttempt } from '../repeatable-claim.js';
import { costArguments, readUsage, throwIfRefused, toSummary } from './schedule-cost.js';
import * as scripts from './schedule-scripts.js';

/** The data of a schedule in Redis. Every method is one atomic step there. */
export class RedisScheduleStore {
  readonly #keys;

  constructor(
    private readonly client: RedisClient,
    keyPrefix: string,
    private readonly options: ScheduleLimits & { readonly rememberMs: number },
  ) {
    const key = (name: string) => `{${keyPrefix}:schedule}:${name}`;
    this.#keys = {
      pending: key('pending'),
      held: key('held'),
      hold: key('hold'),
      message: key('message'),
      channel: key('channel'),
      cost: key('cost'),
      usage: key('usage'),
      finished: (id: string) => key(`finished:${id}`),
      claimed: (consumer: string) => key(`claimed:${consumer}`),
    };
  }

  async add(message: ScheduledMessage, owner: string | undefined): Promise<void> {
    const { pending, message: messages, channel, finished, cost, usage } = this.#keys;
    const reply = await scripts.add.run(
      this.client,
      [pending, messages, channel, finished(message.id), cost, usage],
      [
        message.id,
        Math.ceil(message.dueAt),
        toValue(message),
        ...costArguments(message, owner, this.options),
      ],
    );
    throwIfRefused(reply, this.options);
  }

  usage(): Promise<ScheduleUsage> {
    return readUsage(this.client, this.#keys.usage);
  }

  async cancel(id: string): Promise<boolean> {
    const { pending, message, channel, finished, cost, usage } = this.#keys;
    const keys = [pending, message, channel, finished(id), cost, usage];
    return (await scripts.cancel.run(this.client, keys, [id, this.options.rememberMs])) === 1;
  }

  async reschedule(id: string, dueAt: number): Promise<boolean> {
    const { pending, message, channel } = this.#keys;
    const keys = [pending, message, channel];
    return (await scripts.reschedule.run(this.client, keys, [id, Math.ceil(dueAt)])) === 1;
  }

  /**
   * @param now by the caller's clock. A message is claimed only if it is due by this clock and by the clock of Redis.
   */
  async claim(now: number, leaseMs: number, limit: number, by: ClaimAttempt): Promise<DueBatch> {
    const { pending, message, channel, held, hold, claimed, cost, usage } = this.#keys;
    const reply = await scripts.claim.run(
      this.client,
      [pending, message, channel, held, hold, claimed(by.claimant), cost, usage],
      [now, leaseMs, limit, by.number, by.isRepeated ? 1 : 0],
    );
    const [waitMs, ...parts] = reply as [number, ...(Buffer | number)[]];
    const items: DueItem[] = [];
    for (let i = 0; i < parts.length; i += 4) {
      const [id, attempt, dueAt, value] = parts.slice(i, i + 4) as [Buffer, number, Buffer, Buffer];
      items.push({ message: toMessage(id, dueAt, value), attempt });
    }
    return { items, ...(waitMs < 0 ? {} : { nextInMs: waitMs }) };
  }

  /** Removes what is stored so that claims can be repeated. Called when the consumer makes no more claims. */
  async forgetClaims(claimant: string): Promise<void> {
    await redisCall(this.client.del(this.#keys.claimed(claimant)));
  }

  async settle(id: string): Promise<void> {
    const { pending, message, channel, finished, cost, usage, held, hold } = this.#keys;
    await scripts.settle.run(
      this.client,
      [pending, message, channel, finished(id), cost, usage, held, hold],
      [id, this.options.rememberMs],
    );
  }

  /** Does nothing if another process has the lease now. */
  async release(id: string, attempt: number, pauseMs: number): Promise<void> {
    const { held, hold } = this.#keys;
    await scripts.release.run(this.client, [held, hold], [id, attempt, Math.ceil(pauseMs)]);
  }

  /** @param leases id → attempt. Leases that another process has now are left as they are. */
  async extend(leases: Iterable<readonly [string, number]>, leaseMs: number): Promise<void> {
    const { held, hold } = this.#keys;
    await scripts.extend.run(this.client, [held, hold], [leaseMs, ...[...leases].flat()]);
  }

  async find(id: string): Promise<ScheduledMessage | undefined> {
    const { pending, message } = this.#keys;
    const reply = (await scripts.find.run(this.client, [pending, message], [id])) as Buffer[];
    const [found, dueAt, value] = reply;
    return found && dueAt && value ? toMessage(found, dueAt, value) : undefined;
  }

  async page({ channel, limit, cursor }: ScheduleQuery): Promise<SchedulePage> {
    const { pending, message, channel: channels, cost } = this.#keys;
    const after = cursor === undefined ? [] : parseCursor(cursor);
    // One message more than requested shows whether there is a next page.
    const reply =
      channel === undefined
        ? await scripts.page.run(this.client, [pending, message, cost], [limit + 1, ...after])
        : await scripts.channelPage.run(
            this.client,
            [channels, message, cost],
            [channel, limit + 1, ...after],
          );
    const [isCut, parts] = reply as [number, Buffer[]];
    const messages = toSummaries(parts);
    const last = messages[Math.min(messages.length, limit) - 1];
    if (last === undefined || isCut === 0) return { messages };
    return { messages: messages.slice(0, limit), next: `${last.dueAt}.${last.id}` };
  }
}

/** The channel is stored in front of the bytes, so that the scripts can read it. */
function toValue(message: ScheduledMessage): Buffer {
  const channel = Buffer.from(message.channel);
  return Buffer.concat([Buffer.from(`${channel.length}:`), channel, toBytes(message)]);
}

function toMessage(id: Buffer, dueAt: Buffer, value: Buffer): ScheduledMessage {
  const channelAt = value.indexOf(':') + 1;
  const bytesAt = channelAt + Number(value.toString('latin1', 0, channelAt - 1));
  const channel = value.toString('utf8', channelAt, bytesAt);
  return fromBytes({ id: String(id), channel, dueAt: Number(dueAt) }, value.subarray(bytesAt));
}

/** Reads what `summaries` of the scripts returns. */
function toSummaries(parts: readonly Buffer[]): ScheduledSummary[] {
  const found: ScheduledSummary[] = [];
  for (let i = 0; i < parts.length; i += 4) {
    const [id, dueAt, summary, value] = parts.slice(i, i + 4) as [Buffer, Buffer, Buffer, Buffer];
    found.push(
      summary.length > 0
        ? toSummary(String(id), Number(dueAt), summary)
        : summaryOf(toMessage(id, dueAt, value)),
    );
  }
  return found;
}

function parseCursor(cursor: string): [number, string] {
  const dot = cursor.indexOf('.');
  return [Number(cursor.slice(0, dot)) || 0, cursor.slice(dot + 1)];
}
