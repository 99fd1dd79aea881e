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

/** Faults that a test can cause in the store behind a fan-out. */
export interface StoreFaults {
  /** Sends SIGKILL. The store loses its memory. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Closes every connection with subscriptions. The store keeps running. */
  cutSubscriptions(): Promise<void>;
  /** Closes every connection for commands. The store keeps running. */
  cutCommands(): Promise<void>;
  /** Suspends the store, with its connections open, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Sends bytes that are not a publication to a channel's subscribers. */
  sendGarbage(channel: string, bytes: string): Promise<void>;
}

export interface FanoutSubject {
  open(handler: PublicationHandler): Promise<Fanout>;
  /** Absent if processes do not share a store. */
  readonly faults?: StoreFaults;
}

/** Keeps all publications. A test can wait for a condition. It must be cheap, because tens of thousands may arrive. */
class Inbox {
  readonly publications: Publication[] = [];
  /** The distinct texts. */
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

  /** The texts of publications with different ids, in the order of their first arrival. */
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
  return new Publication({
    channel,
    data: Buffer.from(text),
    format: 'json',
    id,
    createdAt: Date.now(),
    lane: 'instant',
  });
}

/** Publishes until the store accepts it, as a queue's redelivery does. */
async function publishUntilAccepted(fanout: Fanout, message: Publication): Promise<void> {
  for (;;) {
    try {
      return await fanout.publish(message);
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The contract of the `Fanout` port, for every adapter. */
export function describeFanout(name: string, prepare: () => Promise<FanoutSubject>): void {
  describe(`${name} keeps the contract of Fanout`, () => {
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

    it('delivers a publication unchanged', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('whole');
      await fanout.subscribe(channel);
      const data = Buffer.from([0, 255, 10, 13, 34]);
      const sent = new Publication({
        channel,
        data,
        format: 'binary',
        id: fresh('id'),
        createdAt: 1,
        dueAt: 2,
        lane: 'delayed',
        expiresAt: 4_000_000_000_000,
      });
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

    it('refuses calls after it is closed, and may be closed twice', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('closed');
      await fanout.subscribe(channel);
      await fanout.close();
      await fanout.close();
      await expect(fanout.publish(publication(channel, 'late'))).rejects.toThrow(FanoutClosedError);
      await expect(fanout.subscribe(channel)).rejects.toThrow(FanoutClosedError);
      expect(inbox.publications).toEqual([]);
    });

    it('accepts publications without a subscriber', async () => {
      const { fanout } = await open();
      await expect(fanout.publish(publication(fresh('nobody'), 'x'))).resolves.toBeUndefined();
      await expect(fanout.publish(publication(fresh('nobody'), 'x', undefined))).resolves.toBeUndefined();
    });
  });
}

/** Additional promises of the port for processes that share a store. */
export function describeSharedFanout(name: string, prepare: () => Promise<Required<FanoutSubject>>): void {
  describe(`${name} keeps the contract of Fanout between processes`, () => {
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

    it('delivers only the channels to which a process has subscribed', async () => {
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

    it('ends a subscription when its last user unsubscribes', async () => {
      const { fanout, inbox } = await open();
      const [channel, last] = [fresh('counted'), fresh('last')];
      await Promise.all([fanout.subscribe(channel), fanout.subscribe(channel), fanout.subscribe(last)]);
      fanout.unsubscribe(channel);
      await fanout.publish(publication(channel, 'one user left'));
      await inbox.has('one user left');
      fanout.unsubscribe(channel);
      fanout.unsubscribe(channel); // one call too many has no effect
      // A later subscription becomes active only after the earlier unsubscription.
      await fanout.subscribe(fresh('barrier'));
      await fanout.publish(publication(channel, 'nobody left'));
      await fanout.publish(publication(last, 'end'));
      await inbox.has('end');
      expect(inbox.texts).toEqual(['one user left', 'end']);
    });

    it('survives users that subscribe and unsubscribe faster than the store responds', async () => {
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

    it('ignores bytes that are not a publication', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('garbage');
      await fanout.subscribe(channel);
      for (const bytes of ['', '{}', '\u0001', 'x'.repeat(1_000)])
        await subject.faults.sendGarbage(channel, bytes);
      await fanout.publish(publication(channel, 'sound'));
      await inbox.has('sound');
      expect(inbox.texts).toEqual(['sound']);
    });

    it('loses nothing when the connections with subscriptions break', async () => {
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

    it('does not replay publications from before the subscription', async () => {
      const { fanout, inbox } = await open();
      const [channel, other] = [fresh('later'), fresh('other')];
      await fanout.subscribe(other);
      await fanout.publish(publication(channel, 'before'));
      // Longer than clocks may differ, and longer than the check that the connection is alive.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await fanout.subscribe(channel);
      await subject.faults.cutSubscriptions();
      await fanout.publish(publication(channel, 'after'));
      await inbox.has('after');
      expect(inbox.texts).not.toContain('before');
    });

    it('reconnects when the connections for commands break', async () => {
      const { fanout, inbox } = await open();
      const channel = fresh('cut');
      await fanout.subscribe(channel);
      await subject.faults.cutCommands();
      await publishUntilAccepted(fanout, publication(channel, 'after'));
      await inbox.has('after');
      expect(inbox.distinctTexts).toEqual(['after']);
    });

    it('loses no accepted publication when the store is killed and restarts empty', async () => {
      const [a, b] = [await open(), await open()];
      const channel = fresh('killed');
      await b.fanout.subscribe(channel);
      const accepted: string[] = [];
      const over = new AbortController();
      const load = (async () => {
        for (let index = 0; !over.signal.aborted; index++) {
          const burst = Array.from({ length: 20 }, (_, part) => `${index}.${part}`);
          await Promise.all(burst.map((text) => publishUntilAccepted(a.fanout, publication(channel, text))));
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

    it('loses no accepted publication when the connections with subscriptions break and the store is then killed', async () => {
      const [a, b] = [await open(), await open()];
      const channel = fresh('twice');
      await b.fanout.subscribe(channel);
      await subject.faults.cutSubscriptions();
      await a.fanout.publish(publication(channel, 'only the sender has it'));
      await subject.faults.kill();
      await subject.faults.restart();
      await b.inbox.has('only the sender has it');
      expect(b.inbox.distinctTexts).toEqual(['only the sender has it']);
    });

    it('subscribes to all channels again after a restart', async () => {
      const [a, b] = [await open(), await open()];
      const channels = Array.from({ length: 2_500 }, (_, index) => fresh(`many-${index}`));
      await Promise.all(channels.map((channel) => b.fanout.subscribe(channel)));
      await subject.faults.kill();
      const late = fresh('late');
      const subscribed = b.fanout.subscribe(late);
      const unwanted = channels.pop()!;
      b.fanout.unsubscribe(unwanted);
      await subject.faults.restart();
      await subscribed;
      for (const channel of [unwanted, ...channels, late])
        await publishUntilAccepted(a.fanout, publication(channel, channel));
      await b.inbox.until(() => b.inbox.known.size === channels.length + 1);
      expect(b.inbox.texts).not.toContain(unwanted);
    });

    it.each(['kill', 'freeze'] as const)('refuses publications fast after %s', async (fault) => {
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
      await publishUntilAccepted(fanout, publication(channel, 'back'));
      await inbox.has('back');
    });

    it('closes in bounded time while the store is unavailable', async () => {
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
