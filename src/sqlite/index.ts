export { type Migration, openDatabase } from './database.js';
export { GroupCommit } from './group-commit.js';
export {
  MEMORY,
  sqliteDriverOptions,
  sqliteFile,
  type SqliteDriverOptions,
  type SqliteFile,
} from './sqlite.options.js';
