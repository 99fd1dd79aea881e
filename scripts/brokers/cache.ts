import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const here = import.meta.dirname;

/** Directory for downloads and data of brokers. With `CARILLON_BROKERS_DIR`, several clones share it. */
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
  /** Path relative to the cache. It exists only when it is complete. */
  readonly directory: string;
  readonly size: string;
  /** Returns the arguments for the goal of Maven's dependency plugin that writes the files to `target`. */
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

/** Resolves with the directory of a broker's files. Downloads them if needed, one broker at a time: Maven's repository is shared. */
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
  // Renamed when complete, in case the download is interrupted or another process downloads the same files.
  const partial = `${target}.${randomUUID()}`;
  try {
    const [goal, ...settings] = artifact.goal(partial);
    await promisify(execFile)('mvn', ['-B', '-q', '-f', pom, `dependency:${goal}`, ...settings]);
    await rename(partial, target);
  } catch (error) {
    // Maven reports errors on its standard output.
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
  return pathOf(program) !== undefined;
}

/** Returns the path of a program, or undefined if it is not installed. */
export function pathOf(program: string): string | undefined {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, program));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
