import type { Redis } from 'ioredis';
import type { Partition } from './redis.recent.js';

/** What is to be sent for one publication. */
export interface Submission<T> {
  readonly route: string;
  /** Memory that it takes, roughly. */
  readonly bytes: number;
  /** Whether it may be sent again: those who receive it tell copies. */
  readonly isRepeatable: boolean;
  /** Everything goes over one connection, so that the publications of a route keep their order. */
  send(connection: Redis, partition: Partition): Promise<T>;
}
