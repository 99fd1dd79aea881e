import type { Readiness } from '../metrics/index.js';
import { MEMORY, sqliteFile, type SqliteDriverOptions } from '../sqlite/index.js';
import { MemoryRegistry } from './adapters/memory/memory.registry.js';
import type { Registry } from './registry/registry.port.js';

/** The registry of the process that holds the embedded stores: in a file, if there is a directory for it. */
export async function openEmbeddedRegistry(
  sqlite: SqliteDriverOptions | undefined,
  readiness: Readiness,
): Promise<Registry> {
  if (sqlite === undefined || sqlite.directory === MEMORY) return new MemoryRegistry();
  const { SqliteRegistry } = await import('./adapters/sqlite/sqlite.registry.js');
  return new SqliteRegistry(sqliteFile(sqlite, 'connections'), () =>
    readiness.broker('sqlite (registered connections)'),
  );
}
