import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import { IpcFanout } from '../../../src/delivery/adapters/ipc/ipc.fanout.js';
import { IpcHub } from '../../../src/delivery/adapters/ipc/ipc-hub.js';
import { connectionChannel, newConnectionId, Publication } from '../../../src/delivery/index.js';
import { describeFanout } from './fanout.contract.js';
import { linkPair } from '../ipc-link.js';

class Worker {
  readonly link;
  readonly fanout;
  readonly texts: string[] = [];
  readonly publications: Publication[] = [];
  readonly #arrivals = new EventEmitter();

  constructor(hub: IpcHub) {
    const { primary, worker } = linkPair();
    hub.connect(primary);
    this.link = worker;
    this.fanout = new IpcFanout(worker, (arrived) => {
      this.publications.push(arrived);
      this.texts.push(arrived.data.toString());
      this.#arrivals.emit('arrival');
    });
  }

  async has(text: string): Promise<void> {
    while (!this.texts.includes(text)) await once(this.#arrivals, 'arrival');
  }
}

function publication(channel: string, text: string): Publication {
  return new Publication({
    channel,
    data: Buffer.from(text),
    format: 'json',
    id: text,
    createdAt: Date.now(),
    lane: 'instant',
  });
}

describeFanout('IpcFanout', async () => {
  const hub = new IpcHub();
  return {
    open: async (handler) => {
      const { primary, worker } = linkPair();
      hub.connect(primary);
      return new IpcFanout(worker, handler);
    },
  };
});

describe('IpcFanout between workers', () => {
  it('delivers to each worker only the channels to which it has subscribed', async () => {
    const hub = new IpcHub();
    const [a, b] = [new Worker(hub), new Worker(hub)];
    await Promise.all([a.fanout.subscribe('both'), b.fanout.subscribe('both'), b.fanout.subscribe('b')]);
    for (const channel of ['nobody', 'b', 'both']) await a.fanout.publish(publication(channel, channel));
    await Promise.all([a.has('both'), b.has('both')]);
    expect(a.texts).toEqual(['both']);
    expect(b.texts).toEqual(['b', 'both']);
  });

  it('reaches a connection of another worker over the subscription that its connections share', async () => {
    const hub = new IpcHub();
    const [a, b] = [new Worker(hub), new Worker(hub)];
    const [one, two] = [connectionChannel(newConnectionId()), connectionChannel(newConnectionId())];
    await Promise.all([a.fanout.subscribe(one), a.fanout.subscribe(two)]);
    expect(hub.routeCount).toBe(1);
    a.fanout.unsubscribe(one);
    await b.fanout.publish(publication(two, 'to a connection'));
    await a.has('to a connection');
  });

  it('ends a subscription when its last user unsubscribes', async () => {
    const hub = new IpcHub();
    const { fanout, texts } = new Worker(hub);
    await Promise.all([fanout.subscribe('c'), fanout.subscribe('c')]);
    fanout.unsubscribe('c');
    await fanout.publish(publication('c', 'one user left'));
    fanout.unsubscribe('c');
    fanout.unsubscribe('c'); // one call too many has no effect
    await fanout.publish(publication('c', 'nobody left'));
    expect(texts).toEqual(['one user left']);
    expect(hub.routeCount).toBe(0);
  });

  it('carries the extras of a publication', async () => {
    const worker = new Worker(new IpcHub());
    await worker.fanout.subscribe('c');
    const info = { user: 'u', client: 'i', connInfo: Buffer.from('{}') };
    const extras = {
      kind: 'join',
      tags: { a: 'b' },
      info,
      delta: true,
      offset: 7,
      epoch: 'abcdefgh',
      previous: Buffer.from('before'),
    } as const;
    const sent = new Publication({
      channel: 'c',
      data: Buffer.from('x'),
      format: 'json',
      id: 'id',
      createdAt: 1,
      dueAt: 2,
      lane: 'direct',
      expiresAt: 3,
      ...extras,
    });
    await worker.fanout.publish(sent);
    await worker.has('x');
    expect(worker.publications).toEqual([sent]);
  });

  it('removes the subscriptions of a worker that died, and notifies a worker whose primary died', async () => {
    const hub = new IpcHub();
    const worker = new Worker(hub);
    await worker.fanout.subscribe('c');
    const ended = Promise.withResolvers<void>();
    worker.link.onEnd(ended.resolve);
    worker.link.close();
    await ended.promise;
    expect(hub.routeCount).toBe(0);
    await expect(worker.fanout.publish(publication('c', 'x'))).rejects.toBeInstanceOf(BrokerUnavailableError);
    await worker.fanout.close();
  });
});
