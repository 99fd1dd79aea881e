import type { Redis } from 'ioredis';
import { joinEnvelopes } from '../../publications/publication-envelope.js';
import { storeAndSend } from './store-script.js';
import {
  isStored,
  type PublishResult,
  type PublishSettings,
  type RedisPublication,
} from './redis-publication.js';

/**
 * Sends publications in their order over one connection, to whose node they all belong. Those of one channel share a message, as a client's
 * cost of a message is several times that of a publication in it.
 *
 * Answers in the same order. Rejects where it cannot be known what became of them.
 */
export async function publishBatch(
  connection: Redis,
  submissions: readonly RedisPublication[],
  settings: PublishSettings,
): Promise<readonly PublishResult[]> {
  const answers: Promise<readonly PublishResult[]>[] = [];
  for (let start = 0; start < submissions.length;) {
    const run = runFrom(submissions, start);
    answers.push(
      run.every(isStored)
        ? storeAndSend(connection, run, settings)
        : recordAndSend(connection, run, settings),
    );
    start += run.length;
  }
  const all = await Promise.all(answers);
  return all.length === 1 ? all[0]! : all.flat();
}

/** Those from `start` on that are all kept, or all not. */
function runFrom(submissions: readonly RedisPublication[], start: number): readonly RedisPublication[] {
  const kept = isStored(submissions[start]!);
  let end = start + 1;
  while (end < submissions.length && isStored(submissions[end]!) === kept) end++;
  return start === 0 && end === submissions.length ? submissions : submissions.slice(start, end);
}

/** Adds each that may be repeated to the recent ones before it goes out, so that nobody can have missed it in both places. */
async function recordAndSend(
  connection: Redis,
  submissions: readonly RedisPublication[],
  { sharded, maxPerStream }: PublishSettings,
): Promise<readonly PublishResult[]> {
  const messages = Map.groupBy(submissions, ({ channel }) => channel);
  const [reminded, sent] = inOneWrite(connection, () => [
    submissions.map(({ partition, envelope, isRepeatable }) =>
      isRepeatable
        ? connection.xadd(partition.key, 'MAXLEN', '~', maxPerStream, '*', 'e', envelope).then(taken, failed)
        : SENT,
    ),
    [...messages].map(([channel, parts]) => {
      const message = joinEnvelopes(parts.map(({ envelope }) => envelope));
      return sharded ? connection.spublish(channel, message) : connection.publish(channel, message);
    }),
  ]);
  await Promise.all(sent);
  return Promise.all(reminded);
}

function inOneWrite<Result>({ stream, status }: Redis, send: () => Result): Result {
  if (status !== 'ready') return send();
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

const SENT: Promise<PublishResult> = Promise.resolve({ recentId: undefined, place: '' });

function taken(recentId: string | null): PublishResult {
  return { recentId: recentId ?? undefined, place: '' };
}

function failed(reason: unknown): PublishResult {
  return { failure: reason };
}
