import { type Link, RemotePort, servePort } from '../../../ipc/index.js';
import type { ParkedRecord } from '../../retries/retry-record.js';
import type {
  DeadLetterPage,
  DeadLetterQuery,
  ParkedCapabilities,
  ParkedConsumer,
  ParkedHandler,
  ParkedRecords,
} from '../../retries/retry-store.port.js';
import { busFailures } from './failures.js';

const NAME = 'parked-records';

/** Retries and dead letters that the primary process keeps for its workers. */
export class IpcParkedRecords implements ParkedRecords {
  private constructor(
    private readonly port: RemotePort,
    readonly capabilities: ParkedCapabilities,
  ) {}

  static async open(link: Link): Promise<IpcParkedRecords> {
    const port = new RemotePort(link, NAME, busFailures);
    const { durable } = await port.call<ParkedCapabilities>('capabilities');
    return new IpcParkedRecords(port, { durable, shared: true });
  }

  park(records: readonly ParkedRecord[], maxWaiting: number): Promise<boolean> {
    return this.port.call('park', records, maxWaiting);
  }

  occupied(group: string, lines: readonly string[]): Promise<ReadonlySet<string>> {
    return this.port.call('occupied', group, lines);
  }

  async consume(
    group: string,
    options: { readonly concurrency: number },
    handler: ParkedHandler,
  ): Promise<ParkedConsumer> {
    return this.port.keep(await this.port.call<ParkedConsumer>('consume', group, options, handler));
  }

  find(id: string): Promise<ParkedRecord | undefined> {
    return this.port.call('find', id);
  }

  list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.port.call('list', query);
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

export function serveParkedRecords(link: Link, records: ParkedRecords): void {
  servePort(link, NAME, records, [
    'capabilities',
    'park',
    'occupied',
    'consume',
    'find',
    'list',
    'redrive',
    'drop',
  ]);
}
