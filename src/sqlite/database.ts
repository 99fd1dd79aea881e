import { DatabaseSync } from 'node:sqlite';
import { AdapterUnusableError } from '../errors.js';
import { makePrivate } from './private-file.js';
import { MEMORY, type SqliteFile } from './sqlite.options.js';

const SQLITE_BUSY = 5;

/** SQL, or a function for what SQL cannot do. */
export type Migration = string | ((database: DatabaseSync) => void);

/**
 * Opens the file of a store exclusively for this process. Creates the file and its directory if they do not exist.
 *
 * @param migrations what upgrades the schema from version n to n + 1, oldest first. A released migration never changes.
 * @throws {AdapterUnusableError} another process has the file open, a newer version wrote it, or it cannot be read or written
 */
export function openDatabase(
  { path, synchronous }: SqliteFile,
  migrations: readonly Migration[],
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== MEMORY) makePrivate(path);
    database = new DatabaseSync(path);
    // Set before the first access: the file then needs no shared-memory file, and only one process can open it.
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

function migrate(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  // Takes the lock even if there is nothing to migrate, so that a second process fails here and not later.
  database.exec('BEGIN EXCLUSIVE');
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > migrations.length) {
    throw new AdapterUnusableError(
      `${path} was written by a newer version (schema ${version}; this version supports ${migrations.length}): ` +
        'run that version, or set another sqlite directory',
    );
  }
  for (const migration of migrations.slice(version)) {
    if (typeof migration === 'string') database.exec(migration);
    else migration(database);
  }
  database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
}

function unusable(path: string, error: unknown): AdapterUnusableError {
  const { message, errcode } = error as { message: string; errcode?: number };
  // The low byte is the primary code of every kind of SQLITE_BUSY: https://sqlite.org/rescode.html#busy
  const isLocked = errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY;
  const advice = isLocked
    ? 'another process has it open. Give each process its own sqlite directory, or set a driver that processes share ' +
      '(redis or pulsar)'
    : `${message}. Set a sqlite directory that this process can write to`;
  return new AdapterUnusableError(`cannot open ${path}: ${advice}`, { cause: error });
}
