import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import {
  FanoutClosedError,
  Publication,
  connectionChannel,
  newConnectionId,
} from '../../../src/delivery/index.js';
import type { Fanout, PublicationHandler } from '../../../src/delivery/fanout.port.js';

/** What may be done to the store behind a fan-out. */
export interface StoreFaults {
  /** SIGKILL. What the store holds in memory is gone. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Cuts every connection that carries subscriptions; the store goes on. */
  cutSubscriptions(): Promise<void>;
  /** Cuts every connection that carries commands; the store goes on. */
  cutCommands(): Promise<void>;
  /** The store keeps its connections and says nothing until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Sends bytes that are no publication to a channel's subscribers. */
  sendGarbage(channel: string, bytes: string): Promise<void>;
}

export interface FanoutSubject {
  open(handler: PublicationHandler): Promise<Fanout>;
  /** Absent where every process is alone. */
  readonly faults?: StoreFaults;
}

/** Keeps what arrives, and lets a test wait for it: for a condition that is cheap to look at, as tens of thousands may arrive. */
class Inbox {
  readonly publications: Publication[] = [];
  /** Without repetitions. */
  readonly known = new Set<string>();
  readonly #waiting = new Map<() => boolean, () => void>();

  readonly handler: PublicationHandler = (arrived) => {
    this.publications.push(arrived);
    this.known.add(arrived.data.toString());
    for (const [isDone, resolve] of this.#waiting) if (isDone() && this.#waiting.delete(isDone)) resolve();
  };

  get texts(): string[] {
    return this.publications.map(({ data }) => data.toString());
  }

  /** Those that differ by id, in the order of their first arrival. */
  get distinctTexts(): string[] {
    const seen = new Map(this.publications.map(({ id, data }) => [id, data.toString()]));
    return [...seen.values()];
  }

  async until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(isDone, resolve);
    await promise;
  }

  async has(text: string): Promise<void> {
    await this.until(() => this.known.has(text));
  }
}

let counter = 0;
const fresh = (name: string) => `${name}-${randomBytes(4).toString('hex')}-${counter++}`;

function publication(channel: string, text: string, id: string | undefined = fresh('id')): Publication {
  return new Publication(channel, Buffer.from(text), 'json', id, Date.now(), undefined, 'instant');
}

/** Publishes until it is accepted, as a queue's redelivery does. */
async function publishPersistently(fanout: Fanout, message: Publication): Promise<void> {
  for (;;) {
    try {
      return await fanout.publish(message);
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The contract of the port `Fanout`. */
export function describeFanout(name: string, prepare: () => Promise<FanoutSubject>): void {
  describe(`${name} as a Fanout`, () => {
    const opened: Fanout[] = [];
    let subject: FanoutSubject;
    const open = async () => {
      const inbox = new Inbox();
      const fanout = await subject.open(inbox.handler);
      opened.push(fanout);
      return { inbox, fanout };
    };

    beforeEach(async () => {
      subject = await prepare();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((fanout) => fanout.close()));
    });

    it('carries a publication whole', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('whole');
      await fanout.subscribe(channel);
      const data = Buffer.from([0, 255, 10, 13, 34]);
      const sent = new Publication(channel, data, 'binary', fresh('id'), 1, 2, 'delayed', 4_000_000_000_000);
      await fanout.publish(sent);
      await inbox.until(() => inbox.publications.length === 1);
      expect(inbox.publications[0]).toEqual(sent);
    });

    it('keeps the order of a channel', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('order');
      await fanout.subscribe(channel);
      const texts = Array.from({ length: 500 }, (_, index) => String(index));
      await Promise.all(texts.map((text) => fanout.publish(publication(channel, text))));
      await inbox.has('499');
      expect(inbox.texts).toEqual(texts);
    });

    it('is closed for good, and may be closed twice', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('closed');
      await fanout.subscribe(channel);
      await fanout.close();
      await fanout.close();
      await expect(fanout.publish(publication(channel, 'late'))).rejects.toThrow(FanoutClosedError);
      await expect(fanout.subscribe(channel)).rejects.toThrow(FanoutClosedError);
      expect(inbox.publications).toEqual([]);
    });

    it('takes publications that nobody waits for', async () => {
      const { fanout } = await open();
      await expect(fanout.publish(publication(fresh('nobody'), 'x'))).resolves.toBeUndefined();
      await expect(fanout.publish(publication(fresh('nobody'), 'x', undefined))).resolves.toBeUndefined();
    });
  });
}

/** What the port promises besides where processes share a store. */
export function describeSharedFanout(name: string, prepare: () => Promise<Required<FanoutSubject>>): void {
  describe(`${name} as a Fanout between processes`, () => {
    const opened: Fanout[] = [];
    let subject: Required<FanoutSubject>;
    const open = async () => {
      const inbox = new Inbox();
      const fanout = await subject.open(inbox.handler);
      opened.push(fanout);
      return { inbox, fanout };
    };

    beforeEach(async () => {
      subject = await prepare();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((fanout) => fanout.close()));
    });

    it('hands each process the channels that it subscribed to, and no others', async () => {
      const [a, b] = [await open(), await open()];
      const [both, onlyB, nobody] = [fresh('both'), fresh('b'), fresh('nobody')];
      await Promise.all([a.fanout.subscribe(both), b.fanout.subscribe(both), b.fanout.subscribe(onlyB)]);
      for (const channel of [nobody, onlyB, both]) await a.fanout.publish(publication(channel, channel));
      await Promise.all([a.inbox.has(both), b.inbox.has(both), b.inbox.has(onlyB)]);
      expect(a.inbox.texts).toEqual([both]);
      expect(b.inbox.texts.toSorted()).toEqual([onlyB, both].toSorted());
    });

    it('reaches a connection on this process', async () => {
      const [a, b] = [await open(), await open()];
      const [one, two] = [connectionChannel(newConnectionId()), connectionChannel(newConnectionId())];
      await Promise.all([a.fanout.subscribe(one), a.fanout.subscribe(two)]);
      a.fanout.unsubscribe(one);
      await b.fanout.publish(publication(two, 'to a connection'));
      await a.inbox.has('to a connection');
      expect(a.inbox.texts).toEqual(['to a connection']);
    });

    it('ends a subscription with the last of its users', async () => {
      const { fanout, inbox } = await open();
      const [channel, last] = [fresh('counted'), fresh('last')];
      await Promise.all([fanout.subscribe(channel), fanout.subscribe(channel), fanout.subscribe(last)]);
      fanout.unsubscribe(channel);
      await fanout.publish(publication(channel, 'one user left'));
      await inbox.has('one user left');
      fanout.unsubscribe(channel);
      fanout.unsubscribe(channel); // one too many does no harm
      // A later subscription is in force only after the earlier unsubscription.
      await fanout.subscribe(fresh('barrier'));
      await fanout.publish(publication(channel, 'nobody left'));
      await fanout.publish(publication(last, 'end'));
      await inbox.has('end');
      expect(inbox.texts).toEqual(['one user left', 'end']);
    });

    it('survives users that come and go faster than the store answers', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('flapping');
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      for (let round = 0; round < 50; round++) {
        const left = fanout.subscribe(channel);
        if (round % 3 > 0) await turn();
        fanout.unsubscribe(channel);
        await left;
        if (round % 2 > 0) await turn();
        await fanout.subscribe(channel);
        await fanout.publish(publication(channel, String(round)));
        await inbox.has(String(round));
        fanout.unsubscribe(channel);
      }
      expect(inbox.texts).toEqual(Array.from({ length: 50 }, (_, round) => String(round)));
    });

    it('is not disturbed by what is no publication', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('garbage');
      await fanout.subscribe(channel);
      for (const bytes of ['', '{}', '\u0001', 'x'.repeat(1_000)])
        await subject.faults.sendGarbage(channel, bytes);
      await fanout.publish(publication(channel, 'sound'));
      await inbox.has('sound');
      expect(inbox.texts).toEqual(['sound']);
    });

    it('loses nothing while subscriptions are cut off', async () => {
      const [a, b] = [await open(), await open()];
      const channel = fresh('blip');
      await b.fanout.subscribe(channel);
      const texts = Array.from({ length: 400 }, (_, index) => String(index));
      const cut = subject.faults.cutSubscriptions();
      for (const text of texts) await a.fanout.publish(publication(channel, text));
      await cut;
      await b.inbox.until(() => b.inbox.known.size === texts.length);
      expect(b.inbox.distinctTexts.toSorted()).toEqual(texts.toSorted());
    });

    it('does not replay to a channel what was published before anybody wanted it', async () => {
      const { fanout, inbox } = await open();
      const [channel, other] = [fresh('later'), fresh('other')];
      await fanout.subscribe(other);
      await fanout.publish(publication(channel, 'before'));
      // As much as clocks may differ, and as long as the store takes to be sure that the connection is good.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await fanout.subscribe(channel);
      await subject.faults.cutSubscriptions();
      await fanout.publish(publication(channel, 'after'));
      await inbox.has('after');
      expect(inbox.texts).not.toContain('before');
    });

    it('comes back when its commands are cut off', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('cut');
      await fanout.subscribe(channel);
      await subject.faults.cutCommands();
      await publishPersistently(fanout, publication(channel, 'after'));
      await inbox.has('after');
      expect(inbox.distinctTexts).toEqual(['after']);
    });

    it('loses nothing that was accepted when the store is killed and begins empty', async () => {
      const [a, b] = [await open(), await open()];
      const channel = fresh('killed');
      await b.fanout.subscribe(channel);
      const accepted: string[] = [];
      const over = new AbortController();
      const load = (async () => {
        for (let index = 0; !over.signal.aborted; index++) {
          const burst = Array.from({ length: 20 }, (_, part) => `${index}.${part}`);
          await Promise.all(burst.map((text) => publishPersistently(a.fanout, publication(channel, text))));
          accepted.push(...burst);
        }
      })();
      for (let round = 0; round < 3; round++) {
        const before = b.inbox.publications.length;
        await subject.faults.kill();
        await subject.faults.restart();
        await b.inbox.until(() => b.inbox.publications.length > before + 100);
      }
      over.abort();
      await load;
      await b.inbox.until(() => b.inbox.known.size === accepted.length);
      expect(b.inbox.known).toEqual(new Set(accepted));
      expect(b.inbox.distinctTexts).toHaveLength(accepted.length);
    });

    it('loses nothing that was accepted while subscriptions were cut off from a store that is killed then', async () => {
      const [a, b] = [await open(), await open()];
      const channel = fresh('unlucky');
      await b.fanout.subscribe(channel);
      await subject.faults.cutSubscriptions();
      await a.fanout.publish(publication(channel, 'only the sender has it'));
      await subject.faults.kill();
      await subject.faults.restart();
      await b.inbox.has('only the sender has it');
      expect(b.inbox.distinctTexts).toEqual(['only the sender has it']);
    });

    it('subscribes to everything again after a restart', async () => {
      const [a, b] = [await open(), await open()];
      const channels = Array.from({ length: 2_500 }, (_, index) => fresh(`many-${index}`));
      await Promise.all(channels.map((channel) => b.fanout.subscribe(channel)));
      await subject.faults.kill();
      const late = fresh('late');
      const inForce = b.fanout.subscribe(late);
      const unwanted = channels.pop()!;
      b.fanout.unsubscribe(unwanted);
      await subject.faults.restart();
      await inForce;
      for (const channel of [unwanted, ...channels, late])
        await publishPersistently(a.fanout, publication(channel, channel));
      await b.inbox.until(() => b.inbox.known.size === channels.length + 1);
      expect(b.inbox.texts).not.toContain(unwanted);
    });

    it.each(['kill', 'freeze'] as const)('refuses quickly after %s', async (fault) => {
      const { fanout, inbox } = await open();
      const channel = fresh('refused');
      await fanout.subscribe(channel);
      await subject.faults[fault]();
      for (let attempt = 0; attempt < 3; attempt++) {
        const began = performance.now();
        const burst = Array.from({ length: 20 }, (_, index) =>
          fanout.publish(publication(channel, String(index))),
        );
        const outcomes = await Promise.allSettled(burst);
        expect(performance.now() - began).toBeLessThan(2_000);
        for (const outcome of outcomes)
          expect(outcome).toMatchObject({ reason: expect.any(BrokerUnavailableError) });
      }
      await (fault === 'kill' ? subject.faults.restart() : subject.faults.thaw());
      await publishPersistently(fanout, publication(channel, 'back'));
      await inbox.has('back');
    });

    it('closes in bounded time while the store is away', async () => {
      const { fanout } = await open();
      await fanout.subscribe(fresh('x'));
      await subject.faults.freeze();
      const pending = fanout.publish(publication(fresh('x'), 'x')).catch((error: unknown) => error);
      const waiting = fanout.subscribe(fresh('y')).catch((error: unknown) => error);
      const began = performance.now();
      await fanout.close();
      expect(performance.now() - began).toBeLessThan(4_000);
      expect(await pending).toBeInstanceOf(BrokerUnavailableError);
      expect(await waiting).toBeInstanceOf(FanoutClosedError);
      await subject.faults.thaw();
    });
  });
}
