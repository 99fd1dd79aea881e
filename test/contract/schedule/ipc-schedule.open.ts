import { IpcSchedule, serveSchedule } from '../../../src/bus/adapters/ipc/ipc.schedule.js';
import type { SqliteSchedule } from '../../../src/bus/adapters/sqlite/sqlite.schedule.js';
import { linkPair } from '../ipc-link.js';
import { open as openSqlite } from './sqlite-schedule.open.js';

/** Connects another worker process to the schedule of the primary process. */
export function connect(store: SqliteSchedule): Promise<IpcSchedule> {
  const { primary, worker } = linkPair();
  serveSchedule(primary, store);
  return IpcSchedule.open(worker);
}

/** Opens the schedule of a primary process and its only worker. Closing it closes both. */
export async function open(options: unknown): Promise<IpcSchedule> {
  const store = await openSqlite(options);
  const schedule = await connect(store);
  const close = schedule.close.bind(schedule);
  schedule.close = async () => {
    await close();
    await store.close();
  };
  return schedule;
}
