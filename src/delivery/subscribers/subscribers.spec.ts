import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, nat, property, record } from 'fast-check';
import { Publication } from '../publications/publication.js';
import type { Subscriber } from './subscriber.js';
import { Subscribers } from './subscribers.js';

const publish = (channel: string) =>
  new Publication({ channel, data: Buffer.from('{}'), format: 'json', createdAt: 0, lane: 'direct' });
const never = (fault: unknown): never => {
  throw fault;
};

/** Records what it receives, and runs a callback each time. */
class Recorder implements Subscriber {
  readonly received: string[] = [];

  constructor(private readonly onReceive: () => void = () => {}) {}

  receive({ channel }: Publication): void {
    this.received.push(channel);
    this.onReceive();
  }
}

describe('Subscribers', () => {
  it('behaves like a set of pairs', () => {
    const channel = constantFrom('a', 'b', 'c');
    const step = record({
      kind: constantFrom('attach' as const, 'detach' as const, 'deliver' as const),
      channel,
      index: nat(3),
    });
    assert(
      property(array(step), (steps) => {
        const subscribers = new Subscribers(never);
        const recorders = Array.from({ length: 4 }, () => new Recorder());
        const model = new Set<string>();
        const expected = recorders.map((): string[] => []);
        for (const { kind, channel: name, index } of steps) {
          const pair = `${name}${index}`;
          const attached = recorders.flatMap((_, at) => (model.has(`${name}${at}`) ? [at] : []));
          const apply = {
            attach: () => [subscribers.attach(name, recorders[index]!), model.size < model.add(pair).size],
            detach: () => [subscribers.detach(name, recorders[index]!), model.delete(pair)],
            deliver: () => {
              for (const at of attached) expected[at]!.push(name);
              return [subscribers.deliver(publish(name)), attached.length];
            },
          };
          const [actual, wanted] = apply[kind]();
          expect(actual).toBe(wanted);
          expect(subscribers.publicAttachmentCount).toBe(model.size);
          expect(subscribers.publicChannelCount).toBe(new Set([...model].map(([first]) => first)).size);
          expect(subscribers.has(name)).toBe([...model].some(([first]) => first === name));
        }
        expect(recorders.map(({ received }) => received)).toEqual(expected);
      }),
    );
  });

  it('does not deliver to a subscriber that is detached before its turn', () => {
    const subscribers = new Subscribers(never);
    const second = new Recorder();
    const first = new Recorder(() => {
      subscribers.detach('a', first);
      subscribers.detach('a', second);
    });
    const third = new Recorder();
    for (const subscriber of [first, second, third]) subscribers.attach('a', subscriber);
    subscribers.deliver(publish('a'));
    expect([first, second, third].map(({ received }) => received.length)).toEqual([1, 0, 1]);
    expect(subscribers.publicAttachmentCount).toBe(1);
  });

  it('ends even if a subscriber detaches and attaches itself while it receives', () => {
    const subscribers = new Subscribers(never);
    const restless = new Recorder(() => {
      subscribers.detach('a', restless);
      subscribers.attach('a', restless);
    });
    subscribers.attach('a', restless);
    expect(subscribers.deliver(publish('a'))).toBe(1);
    expect(restless.received).toEqual(['a']);
  });

  it('delivers to the others if a subscriber throws', () => {
    const faults: unknown[] = [];
    const subscribers = new Subscribers((fault) => faults.push(fault));
    const broken: Subscriber = {
      receive() {
        throw new Error('broken');
      },
    };
    const sound = new Recorder();
    subscribers.attach('a', broken);
    subscribers.attach('a', sound);
    subscribers.deliver(publish('a'));
    expect(sound.received).toEqual(['a']);
    expect(faults).toEqual([new Error('broken')]);
  });
});
