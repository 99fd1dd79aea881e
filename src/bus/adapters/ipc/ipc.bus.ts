import { type Link, RemotePort, servePort } from '../../../ipc/index.js';
import type {
  Bus,
  BusCapabilities,
  BusSubscription,
  PartitionLag,
  RecordHandler,
  SubscribeOptions,
} from '../../bus.port.js';
import type { OutgoingRecord, ReceivedRecord } from '../../../message/index.js';
import { busFailures } from './failures.js';

const NAME = 'bus';

/** The methods of a subscription as remote calls. */
interface RemoteSubscription {
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The bus of a worker process, whose queues are in the memory of the primary process. All workers are members of the same groups. If
 * a worker dies, other members get its records.
 */
export class IpcBus implements Bus {
  private constructor(
    private readonly port: RemotePort,
    readonly capabilities: BusCapabilities,
  ) {}

  static async open(link: Link): Promise<IpcBus> {
    const port = new RemotePort(link, NAME, busFailures);
    const capabilities = await port.call<BusCapabilities>('capabilities');
    return new IpcBus(port, { ...capabilities, shared: true });
  }

  publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    return this.port.call('publish', topic, records);
  }

  async subscribe(
    { progress: _progress, observer, ...options }: SubscribeOptions,
    handler: RecordHandler,
  ): Promise<BusSubscription> {
    const gate = new Gate();
    const passing = async (records: readonly ReceivedRecord[]) => {
      await gate.passed;
      await handler(records);
    };
    const subscription = await this.port.call<RemoteSubscription>('subscribe', options, passing);
    observer?.inForce();
    return this.port.track({
      pause: () => {
        gate.shut();
        subscription.pause().catch(() => {}); // if the link has ended, no more records arrive
      },
      resume: () => {
        gate.open();
        subscription.resume().catch(() => {});
      },
      close: () => {
        gate.rejectAll();
        return subscription.close();
      },
    });
  }

  lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    return this.port.call('lag', group, topics);
  }

  close(): Promise<void> {
    return this.port.close();
  }
}

/** Holds back the records that were already sent when the subscription was paused. */
class Gate {
  #waiting: PromiseWithResolvers<void> | undefined;

  get passed(): Promise<void> | undefined {
    return this.#waiting?.promise;
  }

  shut(): void {
    this.#waiting ??= Promise.withResolvers();
  }

  open(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Rejects the records that are held back, so that they return to their queue. */
  rejectAll(): void {
    this.#waiting?.promise.catch(() => {});
    this.#waiting?.reject(new Error('the subscription was closed while it was paused'));
  }
}

export function serveBus(link: Link, bus: Required<Bus>): void {
  servePort(link, NAME, bus, ['capabilities', 'publish', 'subscribe', 'lag']);
}
