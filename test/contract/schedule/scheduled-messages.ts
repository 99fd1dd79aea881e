import { type Schedule } from '../../../src/bus/index.js';
import { newMessageId, type ScheduledMessage } from '../../../src/message/index.js';

/** Returns a message to a new channel, due in `delayMs`. */
export function messageIn(delayMs: number, more: Partial<ScheduledMessage> = {}): ScheduledMessage {
  const createdAt = Date.now();
  const id = newMessageId();
  return {
    id,
    channel: `room-${id}`,
    data: Buffer.from(JSON.stringify({ id })),
    format: 'json',
    createdAt,
    dueAt: createdAt + delayMs,
    ...more,
  };
}

/** Adds a message. Retries until it succeeds. */
export async function untilAdded(schedule: Schedule, message: ScheduledMessage): Promise<void> {
  for (;;) {
    try {
      await schedule.add(message);
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
