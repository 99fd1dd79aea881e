import type { Partition } from './replay-streams.js';

/** Epoch and offset of a channel. They outlive what is kept of it. */
export function metaKey({ tag }: Partition, channel: string): string {
  return `${tag}:meta:${channel}`;
}

/** What is kept of a channel. */
export function historyKey({ tag }: Partition, channel: string): string {
  return `${tag}:history:${channel}`;
}

/** What tells the histories of a partition before a loss from those after it. */
export function generationKey({ tag }: Partition): string {
  return `${tag}:generation`;
}

/** What was answered to an idempotency key. The length keeps the channel apart from it, whatever they are made of. */
export function resultKey({ tag }: Partition, channel: string, idempotencyKey: string): string {
  return `${tag}:answer:${channel.length}:${channel}:${idempotencyKey}`;
}

/** What was answered to a publication that was sent again, told by the place that it had before. */
export function resendKey({ tag }: Partition, channel: string, place: string): string {
  return `${tag}:again:${place}:${channel}`;
}
