import type { ReceivedRecord } from '../../../message/index.js';
import type { PulsarMessage } from './transport.js';

/** @param topic the name that the subscriber used */
export function recordOf(topic: string, message: PulsarMessage): ReceivedRecord {
  const { position, partition, key, properties, payload, publishedAt, redeliveryCount } = message;
  return {
    topic,
    partition,
    position,
    ...(key === undefined ? {} : { key }),
    headers: properties,
    value: payload,
    publishedAt,
    attempt: redeliveryCount + 1,
  };
}
