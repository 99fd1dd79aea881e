import { type Link, RemotePort, servePort } from '../../../ipc/index.js';
import type { RetryRecord } from '../../retries/retry-record.js';
import type {
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterUsage,
  RetryStoreCapabilities,
  RetryConsumeOptions,
  RetryConsumer,
  RetryHandler,
  RetryStore,
} from '../../retries/retry-store.port.js';
import { busFailures } from './failures.js';

const NAME = 'retry-store';

/** The retry store of a worker process, which the primary process holds. */
export class IpcRetryStore implements RetryStore {
  private constructor(
    private readonly port: RemotePort,
    readonly capabilities: RetryStoreCapabilities,
  ) {}

  static async open(link: Link): Promise<IpcRetryStore> {
    const port = new RemotePort(link, NAME, busFailures);
    const { durable } = await port.call<RetryStoreCapabilities>('capabilities');
    return new IpcRetryStore(port, { durable, shared: true });
  }

  add(records: readonly RetryRecord[], maxWaiting: number): Promise<boolean> {
    return this.port.call('add', records, maxWaiting);
  }

  blockedKeys(group: string, orderingKeys: readonly string[]): Promise<ReadonlySet<string>> {
    return this.port.call('blockedKeys', group, orderingKeys);
  }

  async consume(
    group: string,
    { concurrency }: RetryConsumeOptions,
    handler: RetryHandler,
  ): Promise<RetryConsumer> {
    return this.port.track(await this.port.call<RetryConsumer>('consume', group, { concurrency }, handler));
  }

  find(id: string): Promise<RetryRecord | undefined> {
    return this.port.call('find', id);
  }

  list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.port.call('list', query);
  }

  usage(): Promise<DeadLetterUsage> {
    return this.port.call('usage');
  }

  redrive(id: string): Promise<boolean> {
    return this.port.call('redrive', id);
  }

  drop(id: string): Promise<boolean> {
    return this.port.call('drop', id);
  }

  close(): Promise<void> {
    return this.port.close();
  }
}

export function serveRetryStore(link: Link, records: RetryStore): void {
  servePort(link, NAME, records, [
    'capabilities',
    'add',
    'blockedKeys',
    'consume',
    'find',
    'list',
    'usage',
    'redrive',
    'drop',
  ]);
}
