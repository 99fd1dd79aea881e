import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BrokerKind, brokerKinds } from '../../scripts/brokers/broker.ts';
import { isDockerAvailable } from '../../scripts/brokers/compose.ts';
import { clearLeftovers } from '../../scripts/brokers/leftovers.ts';
import { missingFor, namedBy, provide, type ProvidedBroker } from '../../scripts/brokers/provide.ts';

/** How suites reach the broker host. Passed as JSON in `CARILLON_BROKER_HOST`. */
export interface HostNotice {
  readonly url: string;
  /** Why a kind of broker is not available, for each kind that is not. */
  readonly obstacles: {
    /** One broker that all suites share. */
    readonly shared: Obstacles;
    /** Brokers of a single suite, which it may stop and kill. */
    readonly own: Obstacles;
  };
}

export type Obstacles = Partial<Record<BrokerKind, string>>;

/**
 * Starts a shared broker when the first suite requests it. It runs in Jest's main process, which outlives the workers.
 * Suites run in other processes, so they request brokers over HTTP.
 */
export class BrokerHost {
  readonly #provided = new Map<BrokerKind, Promise<ProvidedBroker>>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const kind = brokerKinds.find((known) => request.url === `/${known}`);
      if (kind === undefined) {
        response.writeHead(404).end();
        return;
      }
      this.#share(kind).then(
        ({ address }) => response.end(JSON.stringify(address)),
        (error: unknown) =>
          response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
      );
    });
    this.#server.unref();
  }

  async open(): Promise<HostNotice> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    // Without one of these variables, a test run downloads and starts nothing.
    const allowed = [process.env['CARILLON_BROKERS'], process.env['CARILLON_REQUIRE_BROKERS']].includes('1');
    if (allowed) await clearLeftovers();
    return { url: `http://127.0.0.1:${port}`, obstacles: await findObstacles(allowed) };
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    const outcomes = await Promise.allSettled(this.#provided.values());
    await Promise.all(
      outcomes.map(async (outcome) => outcome.status === 'fulfilled' && outcome.value.dispose()),
    );
  }

  #share(kind: BrokerKind): Promise<ProvidedBroker> {
    const provided = this.#provided.get(kind) ?? provide(kind);
    this.#provided.set(kind, provided);
    return provided;
  }
}

async function findObstacles(allowed: boolean): Promise<HostNotice['obstacles']> {
  const shared: Obstacles = {};
  const own: Obstacles = {};
  const containers = allowed && (await isDockerAvailable());
  for (const kind of brokerKinds) {
    const obstacle = allowed ? missingFor(kind) : 'brokers are not started unless CARILLON_BROKERS=1';
    if (obstacle === undefined) continue;
    own[kind] = obstacle;
    if (!containers && namedBy(process.env, kind) === undefined) shared[kind] = obstacle;
  }
  return { shared, own };
}
