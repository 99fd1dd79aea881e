import type { Redis } from 'ioredis';
import { joinEnvelopes } from '../../publications/publication-envelope.js';
import {
  isStored,
  type PublishResult,
  type PublishSettings,
  type RedisPublication,
} from './redis-publication.js';
import { storeAndSend } from './store-script.js';

/**
 * Sends publications in order over one connection, whose node owns all of them. Those of one channel share a message,
 * because a message costs a client several times as much as a publication in it.
 *
 * Returns the results in the same order. Rejects if the outcome is unknown.
 */
export async function publishBatch(
  connection: Redis,
  publications: readonly RedisPublication[],
  settings: PublishSettings,
): Promise<readonly PublishResult[]> {
  const results: Promise<readonly PublishResult[]>[] = [];
  for (let start = 0; start < publications.length;) {
    const run = runFrom(publications, start);
    results.push(
      run.every(isStored)
        ? storeAndSend(connection, run, settings)
        : recordAndSend(connection, run, settings),
    );
    start += run.length;
  }
  const all = await Promise.all(results);
  return all.length === 1 ? all[0]! : all.flat();
}

/** Returns the publications from `start` on that are all stored, or all not. */
function runFrom(publications: readonly RedisPublication[], start: number): readonly RedisPublication[] {
  const stored = isStored(publications[start]!);
  let end = start + 1;
  while (end < publications.length && isStored(publications[end]!) === stored) end++;
  return start === 0 && end === publications.length ? publications : publications.slice(start, end);
}

/**
 * Adds repeatable publications to the replay stream before they are sent, so that no process can miss them in both
 * places.
 */
async function recordAndSend(
  connection: Redis,
  publications: readonly RedisPublication[],
  { sharded, maxPerStream }: PublishSettings,
): Promise<readonly PublishResult[]> {
  const messages = Map.groupBy(publications, ({ channel }) => channel);
  const [recorded, sent] = inOneWrite(connection, () => [
    publications.map(({ partition, envelope, isRepeatable }) =>
      isRepeatable
        ? connection
            .xadd(partition.key, 'MAXLEN', '~', maxPerStream, '*', 'e', envelope)
            .then(toResult, toFailure)
        : NOT_RECORDED,
    ),
    [...messages].map(([channel, parts]) => {
      const message = joinEnvelopes(parts.map(({ envelope }) => envelope));
      return sharded ? connection.spublish(channel, message) : connection.publish(channel, message);
    }),
  ]);
  await Promise.all(sent);
  return Promise.all(recorded);
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

const NOT_RECORDED: Promise<PublishResult> = Promise.resolve({ replayId: undefined, position: '' });

function toResult(replayId: string | null): PublishResult {
  return { replayId: replayId ?? undefined, position: '' };
}

function toFailure(reason: unknown): PublishResult {
  return { failure: reason };
}
