import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const here = import.meta.dirname;

/** Downloads and data of brokers. `CARILLON_BROKERS_DIR` lets several clones share it. */
export function cacheDirectory(): string {
  return process.env['CARILLON_BROKERS_DIR'] ?? resolve(here, '../../.brokers');
}

export function runDirectory(): string {
  const directory = join(cacheDirectory(), 'run');
  mkdirSync(directory, { recursive: true });
  return directory;
}

interface Artifact {
  readonly name: string;
  /** Relative to the cache; exists only when complete. */
  readonly directory: string;
  readonly size: string;
  /** The goal of Maven's dependency plugin that puts the files into `target`. */
  readonly goal: (target: string) => readonly [string, ...string[]];
}

export const artifacts = {
  kafka: {
    name: 'Kafka 4.3.1',
    directory: 'kafka-4.3.1',
    size: '44 MB',
    goal: (target) => ['copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${target}`],
  },
  pulsar: {
    name: 'Pulsar 4.0.8',
    directory: 'pulsar-4.0.8',
    size: '250 MB',
    goal: (target) => ['unpack', `-Dtarget=${target}`],
  },
} as const satisfies Record<string, Artifact>;

export function isDownloaded(name: keyof typeof artifacts): boolean {
  return existsSync(join(cacheDirectory(), artifacts[name].directory));
}

let queue: Promise<unknown> = Promise.resolve();

/** Directory of a broker's files, downloaded if need be. One download at a time: Maven's repository is shared. */
export function download(name: keyof typeof artifacts): Promise<string> {
  const mine = queue.then(() => fetchInto(artifacts[name], join(here, `${name}.pom.xml`)));
  queue = mine.catch(() => undefined);
  return mine;
}

async function fetchInto(artifact: Artifact, pom: string): Promise<string> {
  const cache = cacheDirectory();
  const target = join(cache, artifact.directory);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  process.stderr.write(`downloading ${artifact.name} (${artifact.size}, once) into ${cache}\n`);
  // Renamed when complete, so that an interrupted download, or another process at the same work, does no harm.
  const partial = `${target}.${randomUUID()}`;
  try {
    const [goal, ...settings] = artifact.goal(partial);
    await promisify(execFile)('mvn', ['-B', '-q', '-f', pom, `dependency:${goal}`, ...settings]);
    await rename(partial, target);
  } catch (error) {
    // Maven explains itself on its standard output.
    const { stdout = '', message } = error as Error & { stdout?: string };
    if (!existsSync(target)) {
      throw new Error(`cannot download ${artifact.name}: ${message}\n${stdout}`, { cause: error });
    }
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}

export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
