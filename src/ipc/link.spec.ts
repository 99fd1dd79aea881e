import { duplexPair } from 'node:stream';
import { Logger } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { LinkEndedError, RemoteError } from './ipc.errors.js';
import { Link } from './link.js';
import { RemotePort } from './remote-port.js';
import { servePort } from './serve-port.js';

function pair() {
  const [one, other] = duplexPair();
  return { here: new Link(one), there: new Link(other), stream: one };
}

describe('Link', () => {
  it('returns results of calls, and keeps bytes as bytes', async () => {
    const { here, there } = pair();
    there.serve('echo', { back: (...values: unknown[]) => values });
    const values = [1, undefined, 'ü', Buffer.from([0, 255]), new Map([['a', new Set([1])]]), { a: [{}] }];
    const back = await here.call<unknown[]>('echo', 'back', ...values);
    expect(back).toEqual(values);
    expect(Buffer.isBuffer(back[3])).toBe(true);
  });

  it('keeps the order of calls and notifications, within one turn of the event loop and across turns', async () => {
    const { here, there } = pair();
    const added: number[] = [];
    there.serve('list', { add: (value: number) => added.push(value) });
    for (let value = 0; value < 100; value += 2) {
      here.notify('list', 'add', value);
      const call = here.call('list', 'add', value + 1);
      if (value % 20 === 0) await call;
    }
    await here.call('list', 'add', 100);
    expect(added).toEqual(Array.from({ length: 101 }, (_, value) => value));
  });

  it('reads frames that arrive in pieces', async () => {
    const [one, other] = duplexPair();
    const [pieces, source] = duplexPair();
    const there = new Link(other);
    there.serve('size', { of: (bytes: Buffer) => bytes.length });
    const here = new Link(source);
    pieces.on('data', (chunk: Buffer) => {
      for (const byte of chunk.subarray(0, 50)) one.write(Buffer.from([byte]));
      one.write(chunk.subarray(50));
    });
    one.on('data', (chunk: Buffer) => pieces.write(chunk));
    const sizes = [0, 1, 100, 300_000];
    expect(await Promise.all(sizes.map((size) => here.call('size', 'of', Buffer.alloc(size))))).toEqual(
      sizes,
    );
  });

  it('calls a function in the process that it came from', async () => {
    const { here, there } = pair();
    there.serve('twice', {
      apply: async (twice: (value: number) => Promise<number>, value: number) => twice(await twice(value)),
      maker: () => ({ add: (a: number, b: number) => a + b, name: 'adder' }),
    });
    expect(await here.call('twice', 'apply', (value: number) => value * 3, 2)).toBe(18);
    const made = await here.call<{ name: string; add(a: number, b: number): Promise<number> }>(
      'twice',
      'maker',
    );
    expect(made.name).toBe('adder');
    expect(await made.add(1, 2)).toBe(3);
  });

  it('rejects with the message and the code of a failure at the other end', async () => {
    const { here, there } = pair();
    there.serve('fails', {
      throws: () => {
        throw new Error('at once');
      },
      rejects: () => Promise.reject(Object.assign(new Error('later'), { code: 'a_code' })),
    });
    await expect(here.call('fails', 'throws')).rejects.toEqual(new RemoteError(undefined, 'at once'));
    await expect(here.call('fails', 'rejects')).rejects.toMatchObject({
      remoteCode: 'a_code',
      message: 'later',
    });
    await expect(here.call('fails', 'unknown')).rejects.toThrow(/nothing is served as fails.unknown/);
    await expect(here.call('nobody', 'throws')).rejects.toThrow(/nothing is served as nobody.throws/);
  });

  it('rejects pending and later calls when it ends', async () => {
    const { here, there, stream } = pair();
    there.serve('never', { returns: () => Promise.withResolvers<void>().promise });
    const call = here.call('never', 'returns');
    stream.destroy();
    await expect(call).rejects.toBeInstanceOf(LinkEndedError);
    await expect(here.call('never', 'returns')).rejects.toBeInstanceOf(LinkEndedError);
    const ended = Promise.withResolvers<void>();
    here.onEnd(ended.resolve);
    await ended.promise;
  });

  it('ends immediately, and logs it once, when the other end leaves too much unread', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const [one] = duplexPair();
    const here = new Link(one, 1_000);
    const turn = () => new Promise(setImmediate);
    // The stream buffers the first one, although nobody reads it.
    for (let sent = 0; sent < 2; sent++) {
      here.notify('stuck', 'receive', Buffer.alloc(50_000));
      await turn();
    }
    const call = here.call('stuck', 'receive');
    here.notify('stuck', 'receive');
    expect(here.ended).toBe(true);
    await expect(call).rejects.toBeInstanceOf(LinkEndedError);
    expect(logged).toHaveBeenCalledTimes(1);
    logged.mockRestore();
  });

  it('ends at both ends when one closes it, after everything that was sent before', async () => {
    const { here, there } = pair();
    const received = Promise.withResolvers<string>();
    const ended = Promise.withResolvers<void>();
    there.serve('text', { append: (text: string) => received.resolve(text) });
    there.onEnd(ended.resolve);
    here.notify('text', 'append', 'last');
    here.close();
    expect(await received.promise).toBe('last');
    await ended.promise;
    expect(there.ended).toBe(true);
  });
});

describe('servePort and RemotePort', () => {
  const errors = { closed: () => new Error('closed'), translate: (error: unknown) => error };

  it('close what a process opened when that process ends', async () => {
    const { here, there } = pair();
    const closed = Promise.withResolvers<void>();
    const store = { size: 3, open: async () => ({ close: async () => closed.resolve() }) };
    servePort(there, 'store', store, ['open', 'size']);
    const port = new RemotePort(here, 'store', errors);
    expect(await port.call('size')).toBe(3);
    await port.call('open');
    here.close();
    await closed.promise;
  });

  it('close what is open, wait for pending calls, and refuse later ones', async () => {
    const { here, there } = pair();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const store = {
      open: async () => ({ close: async () => void order.push('closed') }),
      wait: () => gate.promise.then(() => order.push('done')),
    };
    servePort(there, 'store', store, ['open', 'wait']);
    const port = new RemotePort(here, 'store', errors);
    const opened = port.track(await port.call<{ close(): Promise<void> }>('open'));
    const waiting = port.call('wait');
    const closing = port.close().then(() => order.push('port closed'));
    await opened.close();
    gate.resolve();
    await Promise.all([waiting, closing]);
    expect(order).toEqual(['closed', 'done', 'port closed']);
    await expect(port.call('wait')).rejects.toThrow('closed');
  });

  it('drops a value that cannot be serialized, and sends the others of the same turn', async () => {
    const { here, there } = pair();
    there.serve('echo', { back: (value: unknown) => value });
    here.notify('echo', 'back', Symbol('cannot be serialized'));
    expect(await here.call('echo', 'back', 1)).toBe(1);
    expect(await here.call('echo', 'back', 2)).toBe(2);
  });

  it('calls every listener for its end, even if one throws', async () => {
    const { here, stream } = pair();
    const { promise: called, resolve } = Promise.withResolvers<void>();
    here.onEnd(() => {
      throw new Error('a listener');
    });
    here.onEnd(resolve);
    stream.destroy();
    await expect(called).resolves.toBeUndefined();
  });
});
