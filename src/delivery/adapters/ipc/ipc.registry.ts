import { type Link, RemotePort } from '../../../ipc/index.js';
import type { RegisteredConnection, Registry, RegistryQuery } from '../../registry/registry.port.js';
import { copyOf } from './copied-info.js';
import { portErrors } from './port-errors.js';

const NAME = 'registry';

/** The registered connections of all workers, which the primary process stores. */
export class IpcRegistry implements Registry {
  readonly #port: RemotePort;

  constructor(link: Link) {
    this.#port = new RemotePort(link, NAME, portErrors);
  }

  renew(node: string, leaseMs: number): Promise<boolean> {
    return this.#port.call('renew', node, leaseMs);
  }

  add(connection: RegisteredConnection): Promise<void> {
    return this.#port.call('add', connection);
  }

  claim(id: string, node: string): Promise<boolean> {
    return this.#port.call('claim', id, node);
  }

  remove(id: string): Promise<void> {
    return this.#port.call('remove', id);
  }

  claimOrphans(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    return this.#port.call('claimOrphans', node, limit);
  }

  unfinished(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    return this.#port.call('unfinished', node, limit);
  }

  release(node: string): Promise<void> {
    return this.#port.call('release', node);
  }

  find(id: string): Promise<RegisteredConnection | undefined> {
    return this.#port.call('find', id);
  }

  list(query: RegistryQuery): Promise<readonly RegisteredConnection[]> {
    return this.#port.call('list', query);
  }

  count(route?: string): Promise<number> {
    return this.#port.call('count', route);
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}

/** Serves the registry of the primary process to a worker. The lease of a worker that dies ends at once. */
export function serveRegistry(link: Link, registry: Registry): void {
  const nodes = new Set<string>();
  link.serve(NAME, {
    renew: (node: string, leaseMs: number) => {
      nodes.add(node);
      return registry.renew(node, leaseMs);
    },
    add: (connection: RegisteredConnection) =>
      registry.add({ ...connection, details: copyOf(connection.details) }),
    claim: (id: string, node: string) => registry.claim(id, node),
    remove: (id: string) => registry.remove(id),
    claimOrphans: (node: string, limit: number) => registry.claimOrphans(node, limit),
    unfinished: (node: string, limit: number) => registry.unfinished(node, limit),
    release: (node: string) => registry.release(node),
    find: (id: string) => registry.find(id),
    list: (query: RegistryQuery) => registry.list(query),
    count: (route?: string) => registry.count(route),
  });
  link.onEnd(() => {
    for (const node of nodes) registry.release(node).catch(() => {}); // it ends by itself
  });
}
