import { type Link, RemotePort, servePort } from '../../../ipc/index.js';
import type { ScheduledMessage } from '../../../message/index.js';
import type { LedgerClaim, ScheduleLedger } from '../../schedule/schedule-ledger.port.js';
import type { SchedulePage, ScheduleQuery, ScheduleUsage } from '../../schedule/schedule.port.js';
import { busFailures } from './failures.js';

const NAME = 'ledger';

/** The schedule ledger of a worker process, which the primary process holds. */
export class IpcLedger implements ScheduleLedger {
  readonly shared = true;

  private constructor(
    private readonly port: RemotePort,
    readonly durable: boolean,
  ) {}

  static async open(link: Link): Promise<IpcLedger> {
    const port = new RemotePort(link, NAME, busFailures);
    return new IpcLedger(port, await port.call('durable'));
  }

  record(message: ScheduledMessage, owner?: string): Promise<boolean> {
    return this.port.call('record', message, owner);
  }

  confirm(id: string): Promise<void> {
    return this.port.call('confirm', id);
  }

  abandon(id: string): Promise<void> {
    return this.port.call('abandon', id);
  }

  claim(id: string, token: string): Promise<LedgerClaim> {
    return this.port.call('claim', id, token);
  }

  extend(id: string, lease: number): Promise<void> {
    return this.port.call('extend', id, lease);
  }

  release(id: string, lease: number): Promise<void> {
    return this.port.call('release', id, lease);
  }

  giveUp(id: string, lease: number): Promise<void> {
    return this.port.call('giveUp', id, lease);
  }

  settle(id: string): Promise<void> {
    return this.port.call('settle', id);
  }

  cancel(id: string): Promise<boolean> {
    return this.port.call('cancel', id);
  }

  move(id: string, dueAt: number, from?: number): Promise<number | undefined> {
    return this.port.call('move', id, dueAt, from);
  }

  find(id: string): Promise<ScheduledMessage | undefined> {
    return this.port.call('find', id);
  }

  list(query: ScheduleQuery): Promise<SchedulePage> {
    return this.port.call('list', query);
  }

  usage(): Promise<ScheduleUsage> {
    return this.port.call('usage');
  }

  close(): Promise<void> {
    return this.port.close();
  }
}

export function serveLedger(link: Link, ledger: ScheduleLedger): void {
  servePort(link, NAME, ledger, [
    'durable',
    'record',
    'confirm',
    'abandon',
    'claim',
    'extend',
    'release',
    'giveUp',
    'settle',
    'cancel',
    'move',
    'find',
    'list',
    'usage',
  ]);
}
