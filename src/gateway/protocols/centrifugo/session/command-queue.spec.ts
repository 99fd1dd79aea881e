import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { MALFORMED } from '../codec/codec.js';
import { jsonCodec } from '../codec/codecs.js';
import { CommandQueue, type CommandExecutor, type QueuedCommand } from './command-queue.js';

/** Records the commands. `rpc` waits until it is released. */
class Taker implements CommandExecutor {
  readonly log: string[] = [];
  release: () => void = () => {};
  /** What it waits for is there already. */
  isQuick = false;

  execute(command: QueuedCommand): Promise<void> | undefined {
    this.log.push(command === MALFORMED ? 'malformed' : `${command.method} ${command.id}`);
    if (command === MALFORMED || command.method !== 'rpc') return undefined;
    if (this.isQuick) return Promise.resolve();
    return new Promise((resolve) => (this.release = resolve));
  }

  readonly transport = {
    pause: () => void this.log.push('pause'),
    resume: () => void this.log.push('resume'),
  };
}

const frame = (...lines: string[]) => jsonCodec.readFrame(Buffer.from(lines.join('\n')));
const unsubscribe = (id: number) => `{"id":${id},"unsubscribe":{"channel":"a"}}`;
const rpc = (id: number) => `{"id":${id},"rpc":{}}`;

let taker: Taker;
let queue: CommandQueue;

beforeEach(() => {
  taker = new Taker();
  queue = new CommandQueue(taker);
});

async function released(): Promise<void> {
  taker.release();
  await Promise.resolve();
}

describe('CommandQueue', () => {
  it('executes commands without a promise at once', () => {
    queue.add(frame(unsubscribe(1), unsubscribe(2)));
    expect(taker.log).toEqual(['unsubscribe 1', 'unsubscribe 2']);
  });

  it('keeps the order while a command takes time', async () => {
    queue.add(frame(unsubscribe(1), rpc(2), unsubscribe(3)));
    queue.add(frame(rpc(4), unsubscribe(5)));
    expect(taker.log).toEqual(['unsubscribe 1', 'rpc 2']);
    await released();
    expect(taker.log.slice(2)).toEqual(['unsubscribe 3', 'rpc 4']);
    queue.add(frame(unsubscribe(6)));
    await released();
    expect(taker.log.slice(4)).toEqual(['unsubscribe 5', 'unsubscribe 6']);
  });

  it('reports the malformed rest of a frame after its commands are done', async () => {
    queue.add(frame(rpc(1), '{"id":'));
    expect(taker.log).toEqual(['rpc 1']);
    await released();
    expect(taker.log).toEqual(['rpc 1', 'malformed']);
  });

  it('stops reading from a client that sends faster than its commands are executed', async () => {
    queue.add(frame(rpc(1)));
    for (let id = 2; id < 80; id++) queue.add(frame(unsubscribe(id)));
    expect(taker.log).toEqual(['rpc 1', 'pause']);
    await released();
    while (taker.log.at(-1) !== 'resume') await turn();
    expect(taker.log).toHaveLength(2 + 78 + 1);
  });

  it('yields to other clients between the commands of a long frame', async () => {
    taker.isQuick = true;
    queue.add(
      frame(...Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? unsubscribe(n + 1) : rpc(n + 1)))),
    );
    const commands = () => taker.log.filter((line) => line !== 'pause' && line !== 'resume');
    for (const done of [16, 32, 40, 40]) {
      for (let i = 0; i < 100; i++) await Promise.resolve();
      expect(commands()).toHaveLength(done);
      await turn();
    }
    expect(commands().map((line) => Number(line.split(' ')[1]))).toEqual(
      Array.from({ length: 40 }, (_, n) => n + 1),
    );
  });

  it('counts the commands of all frames that came in one read, and stops reading until the next turn', async () => {
    for (let id = 1; id <= 20; id++) queue.add(frame(unsubscribe(id)));
    expect(taker.log.slice(15)).toEqual(['unsubscribe 16', 'pause']);
    while (taker.log.at(-1) !== 'resume') await turn();
    expect(taker.log.slice(17)).toEqual([
      'unsubscribe 17',
      'unsubscribe 18',
      'unsubscribe 19',
      'unsubscribe 20',
      'resume',
    ]);
  });
});
