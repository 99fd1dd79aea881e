import type { LuaScript } from '../../../redis/index.js';
import { LeaseEndedError } from '../../delivery.errors.js';
import type { RegisteredConnection, Registry, RegistryQuery } from '../../registry/registry.port.js';
import type { RedisPublisher } from './publisher.js';
import {
  add,
  claim,
  claimOrphans,
  count,
  find,
  list,
  release,
  remove,
  renew,
  unfinished,
} from './registry-scripts.js';

const NO_LEASE = -1;

type Reply = readonly [id: Buffer, route: Buffer, node: Buffer, connectedAt: Buffer, details: Buffer];

/** The registered connections of all processes. Leases are by the clock of Redis. */
export class RedisRegistry implements Registry {
  readonly #tag: string;

  constructor(
    private readonly publisher: RedisPublisher,
    keyPrefix: string,
  ) {
    this.#tag = `{${keyPrefix}:registry}`;
  }

  async renew(node: string, leaseMs: number): Promise<boolean> {
    return (await this.#run(renew, node, leaseMs)) === 1;
  }

  async add({ id, route, node, connectedAt, details }: RegisteredConnection): Promise<void> {
    await this.#runWithLease(add, id, route, node, connectedAt, details);
  }

  async claim(id: string, node: string): Promise<boolean> {
    return (await this.#runWithLease(claim, id, node)) === 1;
  }

  async remove(id: string): Promise<void> {
    await this.#run(remove, id);
  }

  async claimOrphans(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    return ((await this.#runWithLease(claimOrphans, node, limit)) as Reply[]).map(toConnection);
  }

  async unfinished(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    return ((await this.#runWithLease(unfinished, node, limit)) as Reply[]).map(toConnection);
  }

  async release(node: string): Promise<void> {
    await this.#run(release, node);
  }

  async find(id: string): Promise<RegisteredConnection | undefined> {
    const reply = (await this.#run(find, id)) as Reply | null;
    return reply === null ? undefined : toConnection(reply);
  }

  async list({ route, limit, after = '' }: RegistryQuery): Promise<readonly RegisteredConnection[]> {
    const ofRoute = route === undefined ? [] : [route];
    return ((await this.#run(list, limit, after, ...ofRoute)) as Reply[]).map(toConnection);
  }

  async count(route?: string): Promise<number> {
    return (await this.#run(count, ...(route === undefined ? [] : [route]))) as number;
  }

  /** Does nothing: the connection belongs to the fan-out. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #runWithLease(script: LuaScript, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    const reply = await this.#run(script, ...args);
    if (reply === NO_LEASE) throw new LeaseEndedError();
    return reply;
  }

  #run(script: LuaScript, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.publisher.call((client) => script.run(client, [this.#tag], args));
  }
}

function toConnection([id, route, node, connectedAt, details]: Reply): RegisteredConnection {
  return {
    id: id.toString(),
    route: route.toString(),
    node: node.toString(),
    connectedAt: Number(connectedAt),
    details,
  };
}
