import type { ScheduleLimits } from '../../../lanes/delayed-lane.options.js';
import type { RedisClient } from '../../../../redis/index.js';
import type { ScheduledMessage } from '../../../../message/index.js';
import { anonymousPart, type LimitReached, refusalOf } from '../../../schedule/schedule-quota.js';
import type { ScheduledSummary, ScheduleUsage } from '../../../schedule/schedule.port.js';
import { redisCall } from '../call.js';

type StoredSummary = Pick<ScheduledMessage, 'channel' | 'createdAt' | 'expiresAt'>;

/** The arguments of `count` in `usage-scripts.ts`. */
export function costArguments(
  { channel, createdAt, expiresAt }: ScheduledMessage,
  owner: string | undefined,
  limits: ScheduleLimits,
): (string | number)[] {
  const summary: StoredSummary = { channel, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
  const { maxPendingMessages, maxPendingBytes, anonymous } = limits;
  const part = anonymousPart(limits);
  return [
    owner === undefined ? '-' : encodeURIComponent(owner),
    JSON.stringify(summary),
    maxPendingMessages,
    maxPendingBytes,
    part.messages,
    part.bytes,
    anonymous.maxMessagesPerAddress,
    anonymous.maxBytesPerAddress,
  ];
}

/** @throws {ScheduleFullError | ScheduleQuotaError} if the reply of a script is a limit */
export function throwIfRefused(reply: unknown, limits: ScheduleLimits): void {
  if (Buffer.isBuffer(reply)) throw refusalOf(reply.toString() as LimitReached, limits);
}

export function toSummary(id: string, dueAt: number, summary: Buffer): ScheduledSummary {
  return { id, dueAt, ...(JSON.parse(summary.toString()) as StoredSummary) };
}

export async function readUsage(client: RedisClient, key: string): Promise<ScheduleUsage> {
  const fields = ['messages', 'bytes', 'anonymous', 'anonymousBytes'] as const;
  const counts = await redisCall(client.hmget(key, ...fields));
  const [messages = 0, bytes = 0, anonymousMessages = 0, anonymousBytes = 0] = counts.map(Number);
  return { messages, bytes, anonymousMessages, anonymousBytes };
}
