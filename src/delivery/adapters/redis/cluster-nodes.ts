import { Redis } from 'ioredis';
import type { RedisClient } from '../../../redis/index.js';

export const SLOTS = 16_384;

/**
 * Returns the connection to the node of a Cluster that owns a slot, or undefined while no node owns it. Without a
 * Cluster, returns the only connection.
 */
export function nodeOf(client: RedisClient, slot: number): Redis | undefined {
  if (client instanceof Redis) return client;
  const [owner] = client.slots[slot] ?? [];
  return client.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === owner);
}

/**
 * Returns the slot of a key without a hash tag, or of the text inside of one: its CRC-16/XMODEM, as in the Cluster
 * specification.
 */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}
