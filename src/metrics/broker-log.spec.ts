import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BrokerLog } from './broker-log.js';
import { BrokerStatus } from './broker-status.js';

let lines: string[];
let log: BrokerLog;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  log = new BrokerLog();
  jest.spyOn(Logger.prototype, 'log').mockImplementation((message) => void lines.push(String(message)));
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((message) => void lines.push(String(message)));
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const broker = (name: string) => new BrokerStatus(name, (status) => log.add(status));

it('logs the roles of one broker that fail together in one line', () => {
  const [instant, delayed, kafka, pulsar] = [
    broker('redis (instant lane)'),
    broker('redis (delayed lane)'),
    broker('kafka (instant lane)'),
    broker('primary process'),
  ];
  for (const each of [instant, delayed, kafka]) each.down('refused');
  pulsar.down('gone');
  jest.advanceTimersByTime(1_000);
  expect(lines).toEqual([
    'redis (instant lane; delayed lane) is down: refused',
    'kafka (instant lane) is down: refused',
    'primary process is down: gone',
  ]);
});

it('logs every change, and different reasons separately', () => {
  const [instant, delayed] = [broker('redis (instant lane)'), broker('redis (delayed lane)')];
  instant.down('refused');
  instant.up();
  delayed.down('no such database');
  jest.advanceTimersByTime(1_000);
  expect(lines).toEqual([
    'redis (instant lane) is down: refused',
    'redis (instant lane) is up',
    'redis (delayed lane) is down: no such database',
  ]);
});
