import type { MessagePosition } from '../message-id.js';
import type { PulsarMessage } from '../transport.js';

/** A message as the WebSocket API delivers it. */
export interface MessageFrame {
  readonly messageId: string;
  /** In base64. Absent or null if the message has no value. */
  readonly payload?: string | null;
  readonly properties?: Readonly<Record<string, string | null>> | null;
  readonly publishTime?: string;
  readonly redeliveryCount?: number;
  readonly key?: string | null;
}

/**
 * Returns the message of a frame. What is absent is empty, and it never throws: an error would close the connection, and the proxy
 * would deliver the message again for ever.
 */
export function messageOf(frame: MessageFrame, position: MessagePosition): PulsarMessage {
  const { payload, properties, publishTime, redeliveryCount, key } = frame;
  const publishedAt = Date.parse(publishTime ?? '');
  return {
    ...position,
    payload: typeof payload === 'string' ? Buffer.from(payload, 'base64') : Buffer.alloc(0),
    properties: Object.fromEntries(
      Object.entries(properties ?? {}).map(([name, value]) => [name, value ?? '']),
    ),
    publishedAt: Number.isNaN(publishedAt) ? 0 : publishedAt,
    redeliveryCount: redeliveryCount ?? 0,
    ...(typeof key === 'string' ? { key } : {}),
  };
}
