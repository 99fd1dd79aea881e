import { type Link, RemotePort, servePort } from '../../../ipc/index.js';
import type { ScheduledMessage } from '../../../message/index.js';
import type {
  DueHandler,
  Schedule,
  ScheduleCapabilities,
  ScheduleConsumeOptions,
  ScheduleConsumer,
  SchedulePage,
  ScheduleQuery,
  ScheduleUsage,
} from '../../schedule/schedule.port.js';
import { busFailures } from './failures.js';

const NAME = 'schedule';

/** The delayed lane of a worker process, which the primary process holds. If a worker dies, others deliver its messages. */
export class IpcSchedule implements Schedule {
  private constructor(
    private readonly port: RemotePort,
    readonly capabilities: ScheduleCapabilities,
  ) {}

  static async open(link: Link): Promise<IpcSchedule> {
    const port = new RemotePort(link, NAME, busFailures);
    const { durable } = await port.call<ScheduleCapabilities>('capabilities');
    return new IpcSchedule(port, { durable, shared: true });
  }

  add(message: ScheduledMessage, owner?: string): Promise<void> {
    return this.port.call('add', message, owner);
  }

  find(id: string): Promise<ScheduledMessage | undefined> {
    return this.port.call('find', id);
  }

  list(query: ScheduleQuery): Promise<SchedulePage> {
    return this.port.call('list', query);
  }

  cancel(id: string): Promise<boolean> {
    return this.port.call('cancel', id);
  }

  reschedule(id: string, dueAt: number): Promise<boolean> {
    return this.port.call('reschedule', id, dueAt);
  }

  usage(): Promise<ScheduleUsage> {
    return this.port.call('usage');
  }

  async consume({ concurrency }: ScheduleConsumeOptions, handler: DueHandler): Promise<ScheduleConsumer> {
    return this.port.track(await this.port.call<ScheduleConsumer>('consume', { concurrency }, handler));
  }

  close(): Promise<void> {
    return this.port.close();
  }
}

export function serveSchedule(link: Link, schedule: Schedule): void {
  servePort(link, NAME, schedule, [
    'capabilities',
    'add',
    'find',
    'list',
    'cancel',
    'reschedule',
    'usage',
    'consume',
  ]);
}
