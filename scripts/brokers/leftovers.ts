import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runDirectory } from './cache.ts';
import { recordFile, type RunRecord } from './local-broker.ts';
import { processIdentity } from './process-identity.ts';

const patienceMs = 20_000;

/**
 * Ends brokers whose owner process has ended, and removes their data. Does not touch brokers of a running owner.
 * Returns the names of the brokers that it ended or removed.
 */
export async function clearLeftovers(): Promise<string[]> {
  const runs = readdirSync(runDirectory()).map((name) => ({ name, directory: join(runDirectory(), name) }));
  const cleared = await Promise.all(
    runs.map(async ({ name, directory }) => {
      const record = readRecord(directory);
      if (record === undefined || isAlive(record.owner, record.ownerIdentity)) return [];
      const ran = await end(record);
      if (!record.keepData) rmSync(directory, { recursive: true, force: true });
      return ran || !record.keepData ? [name] : [];
    }),
  );
  return cleared.flat();
}

function readRecord(directory: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, recordFile), 'utf8')) as RunRecord;
  } catch {
    return undefined; // it is just being started
  }
}

/** Compares the start time too, because another process may have the pid now. */
function isAlive(pid: number, identity: string | undefined): boolean {
  return identity !== undefined && processIdentity(pid) === identity;
}

async function end({ pid, identity }: RunRecord): Promise<boolean> {
  if (!isAlive(pid, identity)) return false;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + patienceMs;
  while (isAlive(pid, identity) && Date.now() < deadline) await delay(50);
  if (isAlive(pid, identity)) process.kill(pid, 'SIGKILL');
  return true;
}
