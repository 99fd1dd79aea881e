import type { DatabaseSync } from 'node:sqlite';
import type { BrokerStatus } from '../../../metrics/index.js';
import { GroupCommit, openDatabase, type SqliteFile } from '../../../sqlite/index.js';
import { FanoutClosedError } from '../../delivery.errors.js';
import { NodeLeases } from '../../registry/node-leases.js';
import type { RegisteredConnection, Registry, RegistryQuery } from '../../registry/registry.port.js';

const migrations = [
  `
  CREATE TABLE connection (
    id TEXT PRIMARY KEY,
    route TEXT NOT NULL,
    node TEXT NOT NULL,
    connected_at INTEGER NOT NULL,
    details BLOB NOT NULL,
    owner TEXT NOT NULL,
    claimed INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX connection_by_owner ON connection (owner, claimed);
  CREATE INDEX open_by_route ON connection (route, id) WHERE claimed = 0;
  `,
];

const COLUMNS = 'id, route, node, connected_at, details';

type Row = Readonly<Record<string, unknown>>;

/**
 * The registered connections in a file of this process, or in memory with the path `:memory:`. Only one process has the file open,
 * so leases are kept in its memory: whatever it finds in the file when it opens it is of processes that have ended.
 *
 * The file is opened with the first lease, because most servers register nothing.
 */
export class SqliteRegistry implements Registry {
  readonly #leases: NodeLeases;
  #opened: { readonly database: DatabaseSync; readonly commits: GroupCommit } | undefined;

  /** @param now a monotonic clock in ms */
  constructor(
    private readonly file: SqliteFile,
    private readonly status: () => BrokerStatus,
    now?: () => number,
  ) {
    this.#leases = new NodeLeases(now);
  }

  /** @throws {AdapterUnusableError} the file cannot be opened */
  async renew(node: string, leaseMs: number): Promise<boolean> {
    this.#open();
    return this.#leases.renew(node, leaseMs);
  }

  async add({ id, route, node, connectedAt, details }: RegisteredConnection): Promise<void> {
    this.#leases.require(node);
    await this.#write(`INSERT OR REPLACE INTO connection (${COLUMNS}, owner) VALUES (?, ?, ?, ?, ?, ?)`, [
      id,
      route,
      node,
      connectedAt,
      details,
      node,
    ]);
  }

  async claim(id: string, node: string): Promise<boolean> {
    this.#leases.require(node);
    const { commits, database } = this.#open();
    const [claim, owner] = [
      database.prepare('UPDATE connection SET claimed = 1, owner = ? WHERE id = ? AND claimed = 0'),
      database.prepare('SELECT owner FROM connection WHERE id = ?'),
    ];
    return commits.write(() => claim.run(node, id).changes === 1 || owner.get(id)?.['owner'] === node);
  }

  async remove(id: string): Promise<void> {
    await this.#write('DELETE FROM connection WHERE id = ?', [id]);
  }

  async claimOrphans(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    this.#leases.require(node);
    return this.#open().commits.write(() => {
      const claimed: RegisteredConnection[] = [];
      for (const owner of this.#ownersThatAreGone(node)) {
        this.#leases.take(owner);
        const wanted = limit - claimed.length;
        claimed.push(...this.#give(owner, node, wanted));
        if (claimed.length >= limit) break;
      }
      return claimed;
    });
  }

  async unfinished(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    this.#leases.require(node);
    return this.#read('WHERE owner = ? AND claimed = 1 LIMIT ?', [node, limit]);
  }

  async release(node: string): Promise<void> {
    this.#leases.release(node);
  }

  async find(id: string): Promise<RegisteredConnection | undefined> {
    return this.#read('WHERE id = ? AND claimed = 0', [id])[0];
  }

  async list({ route, limit, after = '' }: RegistryQuery): Promise<readonly RegisteredConnection[]> {
    if (route === undefined)
      return this.#read('WHERE claimed = 0 AND id > ? ORDER BY id LIMIT ?', [after, limit]);
    return this.#read('WHERE claimed = 0 AND route = ? AND id > ? ORDER BY id LIMIT ?', [
      route,
      after,
      limit,
    ]);
  }

  async count(route?: string): Promise<number> {
    const [where, values] = route === undefined ? ['', []] : [' AND route = ?', [route]];
    const { commits, database } = this.#open();
    const counting = database.prepare(`SELECT count(*) AS count FROM connection WHERE claimed = 0${where}`);
    return commits.read(() => Number(counting.get(...values)?.['count']));
  }

  async close(): Promise<void> {
    await this.#opened?.commits.close();
  }

  #ownersThatAreGone(node: string): string[] {
    const owners = this.#open().database.prepare('SELECT DISTINCT owner FROM connection').all();
    return owners
      .map(({ owner }) => String(owner))
      .filter((owner) => owner !== node && this.#leases.isOver(owner));
  }

  #give(owner: string, node: string, limit: number): RegisteredConnection[] {
    const { database } = this.#open();
    const found = database
      .prepare(`SELECT ${COLUMNS} FROM connection WHERE owner = ? LIMIT ?`)
      .all(owner, limit);
    const give = database.prepare('UPDATE connection SET claimed = 1, owner = ? WHERE id = ?');
    for (const { id } of found) give.run(node, String(id));
    return found.map(toConnection);
  }

  #read(where: string, values: readonly (string | number)[]): RegisteredConnection[] {
    const { commits, database } = this.#open();
    const reading = database.prepare(`SELECT ${COLUMNS} FROM connection ${where}`);
    return commits.read(() => reading.all(...values).map(toConnection));
  }

  async #write(sql: string, values: readonly (string | number | Buffer)[]): Promise<void> {
    const { commits, database } = this.#open();
    const writing = database.prepare(sql);
    await commits.write(() => writing.run(...values));
  }

  #open(): { readonly database: DatabaseSync; readonly commits: GroupCommit } {
    if (this.#opened !== undefined) return this.#opened;
    const status = this.status();
    const database = openDatabase(this.file, migrations);
    // Connections of a process that has ended are gone. What is left of them is their cleanup.
    database.exec('UPDATE connection SET claimed = 1 WHERE claimed = 0');
    const commits = new GroupCommit(database, status, () => new FanoutClosedError(), this.file.path);
    status.up();
    return (this.#opened = { database, commits });
  }
}

function toConnection({ id, route, node, connected_at, details }: Row): RegisteredConnection {
  return {
    id: String(id),
    route: String(route),
    node: String(node),
    connectedAt: Number(connected_at),
    details: Buffer.from(details as Uint8Array),
  };
}
