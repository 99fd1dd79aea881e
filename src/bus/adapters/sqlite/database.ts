import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AdapterUnusableError } from '../../bus.errors.js';
import { MEMORY, type SqliteFile } from './sqlite.options.js';

const SQLITE_BUSY = 5;

/**
 * Opens a store's file for this process alone, creating it and its directory if need be.
 *
 * @param migrations SQL that takes the schema from version n to n + 1, oldest first. Released ones never change.
 * @throws {AdapterUnusableError} another process has it, it is newer than this program, or it cannot be read or written
 */
export function openDatabase({ path, synchronous }: SqliteFile, migrations: readonly string[]): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== MEMORY) mkdirSync(dirname(resolve(path)), { recursive: true });
    database = new DatabaseSync(path);
    // Set before the first access: with it, the file needs no shared memory beside it and belongs to one process.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${synchronous};
    `);
    migrate(database, path, migrations);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof AdapterUnusableError ? error : unusable(path, error);
  }
}

function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
  // Takes the lock even where there is nothing to do, so that a second process fails here and not later.
  database.exec('BEGIN EXCLUSIVE');
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > migrations.length) {
    throw new AdapterUnusableError(
      `${path} was written by a newer version (schema ${version}, this one knows ${migrations.length}): ` +
        'run that version, or set another sqlite directory',
    );
  }
  for (const migration of migrations.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
}

function unusable(path: string, error: unknown): AdapterUnusableError {
  const { message, errcode } = error as { message: string; errcode?: number };
  // In any of its forms: https://sqlite.org/rescode.html#busy
  const isLocked = errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY;
  const advice = isLocked
    ? 'another process has it open. Give each process a sqlite directory of its own, or set a driver that processes ' +
      'share (redis or pulsar)'
    : `${message}. Set a sqlite directory that this process can write to`;
  return new AdapterUnusableError(`cannot open ${path}: ${advice}`, { cause: error });
}
