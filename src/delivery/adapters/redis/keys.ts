import type { Partition } from './partition.js';

/** The metadata of a channel: epoch and offset. They outlive its history. */
export function metaKey({ tag }: Partition, channel: string): string {
  return `${tag}:meta:${channel}`;
}

/** The history of a channel. */
export function historyKey({ tag }: Partition, channel: string): string {
  return `${tag}:history:${channel}`;
}

/** Changes when Redis has lost data, so that histories from before the loss are recognized. */
export function generationKey({ tag }: Partition): string {
  return `${tag}:generation`;
}

/**
 * The result of a publication, by its idempotency key. The length separates the channel from the key, whatever they
 * contain.
 */
export function resultKey({ tag }: Partition, channel: string, idempotencyKey: string): string {
  return `${tag}:answer:${channel.length}:${channel}:${idempotencyKey}`;
}

/** The result of a publication that was sent again after a loss, by its position before the loss. */
export function resendKey({ tag }: Partition, channel: string, position: string): string {
  return `${tag}:again:${position}:${channel}`;
}
