import { Redis } from 'ioredis';
import type { RedisClient } from '../../../redis/index.js';
import { nodeOf } from './cluster-nodes.js';
import { noteAdded, type Partition } from './partition.js';
import { publishBatch } from './publish-batch.js';
import {
  sizeOf,
  type PublishResult,
  type PublishSettings,
  type RedisPublication,
} from './redis-publication.js';

/** Redis processes no other command while it runs a script. This many publications take a few milliseconds. */
const MAX_BATCH_PUBLICATIONS = 200;
const MAX_BATCH_BYTES = 1024 * 1024;

interface PendingPublication {
  readonly publication: RedisPublication;
  readonly resolve: (position: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends the publications of one turn of the event loop as one batch. In a Cluster, as one batch for each partition,
 * whose keys are on one node. Batches go out one after the other over one connection, without waiting for results, so
 * that the publications of a route stay in order.
 */
export class PublishBatcher {
  readonly #pending = new Map<Partition | undefined, PendingPublication[]>();

  constructor(
    private readonly client: RedisClient,
    private readonly settings: PublishSettings,
  ) {}

  /**
   * Resolves to the position in the history, `offset:epoch`, or to an empty text. Rejects with the error of the client,
   * or if the script failed.
   */
  send(publication: RedisPublication): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (this.#pending.size === 0) setImmediate(() => this.#flush());
    const group = this.client instanceof Redis ? undefined : publication.partition;
    const entry = { publication, resolve, reject };
    const pending = this.#pending.get(group);
    if (pending === undefined) this.#pending.set(group, [entry]);
    else pending.push(entry);
    return promise;
  }

  #flush(): void {
    const groups = [...this.#pending.values()];
    this.#pending.clear();
    for (const group of groups) for (const batch of batchesOf(group)) void this.#publish(batch);
  }

  async #publish(batch: readonly PendingPublication[]): Promise<void> {
    const publications = batch.map(({ publication }) => publication);
    try {
      const connection = nodeOf(this.client, publications[0]!.partition.slot);
      if (connection === undefined) throw new Error('no node of the Cluster owns its slot at the moment');
      const results = await publishBatch(connection, publications, this.settings);
      for (const [index, pending] of batch.entries()) settle(pending, results[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

/** Divides publications, in order, into batches within the limits. */
function batchesOf(group: readonly PendingPublication[]): readonly PendingPublication[][] {
  const batches: PendingPublication[][] = [[]];
  let bytes = 0;
  for (const pending of group) {
    const size = sizeOf(pending.publication);
    const { length } = batches.at(-1)!;
    if (length === MAX_BATCH_PUBLICATIONS || (length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(pending);
    bytes += size;
  }
  return batches;
}

function settle({ publication, resolve, reject }: PendingPublication, result: PublishResult): void {
  if ('failure' in result) {
    reject(result.failure);
    return;
  }
  if (result.replayId !== undefined) noteAdded(publication.partition, result.replayId);
  resolve(result.position);
}
