import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { FlushQueue } from './flush-queue.js';
import { Outbox, type FrameCarrier } from './outbox.js';

/** A stream whose reader can be stopped. */
class Wire extends Writable implements FrameCarrier {
  readonly writes: Buffer[] = [];
  readonly stream = this;
  isOpen = true;
  isMidFrame = false;
  isReading = true;
  #taken: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1_000 });
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.writes.push(chunk);
    if (this.isReading) done();
    else this.#taken = done;
  }

  read(): void {
    this.isReading = true;
    this.#taken?.();
    this.#taken = undefined;
  }

  get sent(): string {
    return Buffer.concat(this.writes).toString();
  }
}

const onFlushed = jest.fn<() => void>();
let queue: FlushQueue;
let wire: Wire;
let outbox: Outbox;

beforeEach(() => {
  onFlushed.mockClear();
  queue = new FlushQueue(10_000, onFlushed);
  wire = new Wire();
  outbox = new Outbox(queue);
  outbox.open(wire);
});

afterEach(() => queue.close());

describe('Outbox', () => {
  it('is flushed when the flush of another one throws', async () => {
    queue.add({
      flush: () => {
        throw new Error('another outbox');
      },
    });
    outbox.push(Buffer.from('one'));
    await turn();
    expect(wire.sent).toBe('one');
  });

  it('sends a single frame as it is, without a copy', async () => {
    const frame = Buffer.from('one');
    outbox.push(frame);
    expect(wire.writes).toEqual([]);
    await turn();
    expect(wire.writes[0]).toBe(frame);
  });

  it('joins the frames of a turn into one write', async () => {
    for (const frame of ['a', 'b', 'c']) outbox.push(Buffer.from(frame));
    await turn();
    expect(wire.writes.map(String)).toEqual(['abc']);
    outbox.push(Buffer.from('d'));
    await turn();
    expect(wire.writes.map(String)).toEqual(['abc', 'd']);
  });

  it('shares the joined bytes with outboxes that hold the same frames, and with no others', async () => {
    const others = [new Wire(), new Wire()] as const;
    const [same, different] = others.map((other) => {
      const next = new Outbox(queue);
      next.open(other);
      return next;
    });
    const [a, b, c] = ['a', 'b', 'c'].map((text) => Buffer.from(text));
    for (const frame of [a!, b!]) {
      outbox.push(frame);
      same!.push(frame);
    }
    for (const frame of [c!, b!]) different!.push(frame);
    await turn();
    expect(others[0].writes[0]).toBe(wire.writes[0]);
    expect(others[1].sent).toBe('cb');
  });

  it('keeps frames that are pushed before it is opened', async () => {
    const early = new Outbox(queue);
    early.push(Buffer.from('early '));
    await turn();
    const late = new Wire();
    early.open(late);
    early.push(Buffer.from('late'));
    await turn();
    expect(late.sent).toBe('early late');
  });

  it('refuses a frame that does not fit, and keeps no part of it', async () => {
    wire.isReading = false;
    expect(outbox.push(Buffer.alloc(6_000))).toBe(true);
    await turn();
    expect(outbox.push(Buffer.alloc(4_000))).toBe(true);
    expect(outbox.push(Buffer.alloc(1))).toBe(false);
    expect(outbox.bytes).toBe(10_000);
    wire.read();
    await turn();
    expect(outbox.push(Buffer.alloc(1))).toBe(true);
  });

  it('accepts one frame above the bound, and further frames up to the bound', async () => {
    wire.isReading = false;
    expect(outbox.push(Buffer.alloc(5_000))).toBe(true);
    expect(outbox.push(Buffer.alloc(20_000))).toBe(true);
    expect(outbox.push(Buffer.alloc(20_000))).toBe(false);
    expect(outbox.push(Buffer.alloc(5_000))).toBe(true);
    expect(outbox.push(Buffer.alloc(1))).toBe(false);
    await turn();
    wire.read();
    await turn();
    expect(wire.sent).toHaveLength(30_000);
    expect(outbox.push(Buffer.alloc(20_000))).toBe(true);
  });

  it('reports when a frame above the bound has been sent', async () => {
    expect(outbox.caughtUp()).toBeUndefined();
    wire.isReading = false;
    outbox.push(Buffer.alloc(20_000));
    let hasLeft = false;
    const left = outbox.caughtUp()!.then(() => (hasLeft = true));
    await turn();
    await turn();
    expect(hasLeft).toBe(false);
    outbox.push(Buffer.from('a'));
    await turn();
    wire.read();
    await left;
    expect(outbox.push(Buffer.alloc(9_000))).toBe(true);
    expect(outbox.caughtUp()).toBeUndefined();
  });

  it('stops waiting for a frame when the stream is gone', async () => {
    wire.isReading = false;
    outbox.push(Buffer.alloc(20_000));
    await turn();
    const left = outbox.caughtUp();
    outbox.discard();
    wire.destroy();
    await expect(left).resolves.toBeUndefined();
  });

  it('does not treat the client as slow because of a burst within one turn', () => {
    const large = new FlushQueue(100_000);
    const busy = new Outbox(large);
    busy.open(wire);
    for (let i = 0; i < 1_000; i++) expect(busy.push(Buffer.alloc(1_000))).toBe(true);
    large.close();
    expect(Buffer.concat(wire.writes)).toHaveLength(1_000_000);
  });

  it('keeps frames while the stream is backed up, and joins them when it drains', async () => {
    wire.isReading = false;
    outbox.push(Buffer.alloc(2_000, '.'));
    await turn();
    for (const frame of ['a', 'b']) {
      outbox.push(Buffer.from(frame));
      await turn();
    }
    expect(wire.writes).toHaveLength(1);
    expect(wire.listenerCount('drain')).toBe(1);
    wire.read();
    await turn();
    expect(wire.writes.slice(1).map(String)).toEqual(['ab']);
    expect(wire.listenerCount('drain')).toBe(0);
  });

  it('waits while another frame is partly written', async () => {
    wire.isMidFrame = true;
    outbox.push(Buffer.from('a'));
    await turn();
    expect(wire.writes).toEqual([]);
    wire.isMidFrame = false;
    await turn();
    expect(wire.sent).toBe('a');
  });

  it('drops what is left when the socket is closing', async () => {
    outbox.push(Buffer.from('a'));
    wire.isOpen = false;
    await turn();
    expect(wire.writes).toEqual([]);
    expect(outbox.bytes).toBe(0);
    for (let i = 0; i < 3; i++) expect(outbox.push(Buffer.alloc(6_000))).toBe(true);
    expect(outbox.bytes).toBe(0);
  });

  it('sends what is left at its end, even to a stream that is backed up', async () => {
    wire.isReading = false;
    outbox.push(Buffer.alloc(2_000, '.'));
    await turn();
    outbox.push(Buffer.from('last'));
    await turn();
    outbox.end();
    wire.read();
    await turn();
    expect(wire.sent).toHaveLength(2_004);
    expect(wire.writes).toHaveLength(2);
  });

  it('sends every accepted frame once, whole and in order, however the client reads', async () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ kind: fc.constantFrom('turn' as const, 'stall' as const, 'read' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const subject = new Outbox(queue);
        const line = new Wire();
        subject.open(line);
        let accepted = '';
        for (const [i, step] of actions.entries()) {
          if (step.kind === 'push') {
            const frame = String.fromCodePoint(97 + (i % 26)).repeat(step.bytes);
            if (subject.push(Buffer.from(frame))) accepted += frame;
          } else if (step.kind === 'stall') line.isReading = false;
          else if (step.kind === 'read') line.read();
          else await turn();
          expect(subject.bytes).toBeLessThanOrEqual(10_000);
        }
        line.read();
        await turn();
        await turn();
        expect(line.sent).toBe(accepted);
      }),
      { numRuns: 200 },
    );
  });
});

describe('FlushQueue', () => {
  it('reports every flush once, after the writes', async () => {
    const counts: number[] = [];
    onFlushed.mockImplementation(() => counts.push(wire.writes.length));
    outbox.push(Buffer.from('a'));
    outbox.push(Buffer.from('b'));
    await turn();
    expect(counts).toEqual([1]);
  });

  it('flushes when it is closed', () => {
    outbox.push(Buffer.from('a'));
    queue.close();
    expect(wire.sent).toBe('a');
  });
});
