import { Redis } from 'ioredis';
import type { RedisClient } from '../../../redis/index.js';
import { nodeOf } from './cluster-nodes.js';
import { publishBatch } from './publish-batch.js';
import { noteAdded, type Partition } from './replay-streams.js';
import {
  sizeOf,
  type PublishResult,
  type PublishSettings,
  type RedisPublication,
} from './redis-publication.js';

/** Redis does nothing else while it runs a script: this many publications take it a few milliseconds. */
const MAX_CALL_PUBLICATIONS = 200;
const MAX_CALL_BYTES = 1024 * 1024;

interface Outgoing {
  readonly submission: RedisPublication;
  readonly resolve: (place: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends what is submitted in one turn of the event loop as one call; in a Cluster as one for each partition, whose keys are on
 * one node. Calls go out one after another over one connection, without waiting for answers, so that the publications of a route keep
 * their order.
 */
export class PublishBatcher {
  readonly #waiting = new Map<Partition | undefined, Outgoing[]>();

  constructor(
    private readonly client: RedisClient,
    private readonly settings: PublishSettings,
  ) {}

  /** Answers the place in the history, `offset:epoch`, or nothing. Rejects as the client does, or because the script failed. */
  send(submission: RedisPublication): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (this.#waiting.size === 0) setImmediate(() => this.#flush());
    const group = this.client instanceof Redis ? undefined : submission.partition;
    const outgoing = { submission, resolve, reject };
    const waiting = this.#waiting.get(group);
    if (waiting === undefined) this.#waiting.set(group, [outgoing]);
    else waiting.push(outgoing);
    return promise;
  }

  #flush(): void {
    const groups = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const group of groups) for (const call of callsOf(group)) void this.#call(call);
  }

  async #call(call: readonly Outgoing[]): Promise<void> {
    const submissions = call.map(({ submission }) => submission);
    try {
      const connection = nodeOf(this.client, submissions[0]!.partition.slot);
      if (connection === undefined) throw new Error('the Cluster has no node for it now');
      const answers = await publishBatch(connection, submissions, this.settings);
      for (const [index, outgoing] of call.entries()) settle(outgoing, answers[index]!);
    } catch (error) {
      for (const { reject } of call) reject(error);
    }
  }
}

/** In their order, as many in each as a call may have. */
function callsOf(group: readonly Outgoing[]): readonly Outgoing[][] {
  const calls: Outgoing[][] = [[]];
  let bytes = 0;
  for (const outgoing of group) {
    const size = sizeOf(outgoing.submission);
    const { length } = calls.at(-1)!;
    if (length === MAX_CALL_PUBLICATIONS || (length > 0 && bytes + size > MAX_CALL_BYTES)) {
      calls.push([]);
      bytes = 0;
    }
    calls.at(-1)!.push(outgoing);
    bytes += size;
  }
  return calls;
}

function settle({ submission, resolve, reject }: Outgoing, answer: PublishResult): void {
  if ('failure' in answer) {
    reject(answer.failure);
    return;
  }
  if (answer.recentId !== undefined) noteAdded(submission.partition, answer.recentId);
  resolve(answer.place);
}
