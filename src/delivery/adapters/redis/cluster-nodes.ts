import { Redis } from 'ioredis';
import type { RedisClient } from '../../../redis/index.js';

export const SLOTS = 16_384;

/** The connection to the node that holds a slot; undefined while a Cluster has none. Without a Cluster, the connection. */
export function nodeOf(client: RedisClient, slot: number): Redis | undefined {
  if (client instanceof Redis) return client;
  const [owner] = client.slots[slot] ?? [];
  return client.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === owner);
}

/** CRC-16/XMODEM of the key, as the Cluster specification has it; for keys without a hash tag, or what is inside of one. */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}
