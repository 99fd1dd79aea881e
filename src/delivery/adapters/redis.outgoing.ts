import { Redis } from 'ioredis';
import type { RedisClient } from '../../redis/index.js';
import { nodeOf } from './redis.node-of.js';
import { publishAll } from './redis.publishing.js';
import { noteAdded, type Partition } from './redis.recent.js';
import { sizeOf, type PublishAnswer, type PublishSettings, type Submission } from './redis.submission.js';

/** Redis does nothing else while it runs a script: this many publications take it a few milliseconds. */
const MAX_CALL_PUBLICATIONS = 200;
const MAX_CALL_BYTES = 1024 * 1024;

interface Outgoing {
  readonly submission: Submission;
  readonly resolve: (place: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends one call at a time over a connection, in a Cluster one for each partition, whose keys are on one node: what is submitted in one
 * turn of the event loop, or while a call is under way, shares the next. So the publications of a route keep their order whatever
 * happens to a call, and the more there are, the less each of them costs.
 */
export class OutgoingPublications {
  readonly #queues = new Map<Partition | undefined, Queue>();

  constructor(
    private readonly client: RedisClient,
    private readonly settings: PublishSettings,
  ) {}

  /** Answers the place in the history, `offset:epoch`, or nothing. Rejects as the client does, or because the script failed. */
  send(submission: Submission): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#queueOf(submission.partition).add({ submission, resolve, reject });
    return promise;
  }

  #queueOf(partition: Partition): Queue {
    const key = this.client instanceof Redis ? undefined : partition;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new Queue((submissions) => this.#call(submissions));
      this.#queues.set(key, queue);
    }
    return queue;
  }

  async #call(submissions: readonly Submission[]): Promise<readonly PublishAnswer[]> {
    const connection = nodeOf(this.client, submissions[0]!.partition.slot);
    if (connection === undefined) throw new Error('the Cluster has no node for it now');
    return publishAll(connection, submissions, this.settings);
  }
}

class Queue {
  #waiting: Outgoing[] = [];
  #isDraining = false;

  constructor(
    private readonly call: (submissions: readonly Submission[]) => Promise<readonly PublishAnswer[]>,
  ) {}

  add(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    if (this.#isDraining) return;
    this.#isDraining = true;
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        const answers = await this.call(batch.map(({ submission }) => submission));
        for (const [index, outgoing] of batch.entries()) settle(outgoing, answers[index]!);
      } catch (error) {
        // Those that wait would do so for the same server, in vain.
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error);
      }
    }
    this.#isDraining = false;
  }

  #takeBatch(): readonly Outgoing[] {
    let bytes = 0;
    let count = 0;
    for (const { submission } of this.#waiting) {
      bytes += sizeOf(submission);
      if (count > 0 && (count === MAX_CALL_PUBLICATIONS || bytes > MAX_CALL_BYTES)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}

function settle({ submission, resolve, reject }: Outgoing, answer: PublishAnswer): void {
  if ('failure' in answer) {
    reject(answer.failure);
    return;
  }
  if (answer.recentId !== undefined) noteAdded(submission.partition, answer.recentId);
  resolve(answer.place);
}
