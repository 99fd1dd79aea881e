import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import type { ControlCommand, Delivery } from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import { Claims } from './single-connection-policy.js';
import { Controls } from './controls.js';
import type { Session } from './session.js';
import type { Shared } from '../handlers/handler-dependencies.js';

/** A connection of the one user there is. */
class Connection {
  readonly isConnected = true;
  readonly isOver = false;
  claimedAt = 0;
  readonly user = 'u';
  closedWith: number | undefined;

  constructor(
    readonly id: string,
    private readonly node: Node,
  ) {
    node.connections.add(this);
  }

  close({ code }: CloseCode): void {
    this.closedWith = code;
    this.node.connections.delete(this);
  }
}

/** One process, whose clock may be wrong, and which hears of commands when it is told to. */
class Node {
  readonly connections = new Set<Connection>();
  readonly #inbox: ControlCommand[] = [];
  readonly #controls: Controls;
  readonly #claims: Claims;

  constructor(
    nodes: readonly Node[],
    private readonly clockIsOffBy: number,
  ) {
    const command = async (given: ControlCommand) => {
      for (const node of nodes) node.#inbox.push(given);
    };
    this.#claims = new Claims({ command } as unknown as Delivery);
    this.#controls = new Controls({
      claims: this.#claims,
      users: { sessionsOf: () => this.connections },
      inBackground: () => {},
    } as unknown as Shared);
  }

  connect(id: string, at: number): Connection {
    const connection = new Connection(id, this);
    jest.setSystemTime(at + this.clockIsOffBy);
    void this.#claims.make(connection as unknown as Session);
    return connection;
  }

  /** Hears of one of the commands that are on their way to it. Answers whether there was one. */
  hear(which: number): boolean {
    const [command] = this.#inbox.splice(which % Math.max(1, this.#inbox.length), 1);
    if (command !== undefined) this.#controls.carryOut(command);
    return command !== undefined;
  }

  /** Was cut off for too long. */
  forget(): void {
    this.#inbox.length = 0;
  }
}

function nodesWithClocks(...offsets: readonly number[]): Node[] {
  const nodes: Node[] = [];
  for (const offset of offsets) nodes.push(new Node(nodes, offset));
  return nodes;
}

function settle(nodes: readonly Node[]): void {
  while (nodes.some((node) => node.hear(0)));
}

describe('Claims', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('leave one of two connections that come at the same moment', () => {
    const [one, other] = nodesWithClocks(0, 0);
    const connections = [one!.connect('a', 1_000), other!.connect('b', 1_000)];
    settle([one!, other!]);
    expect(connections.map(({ closedWith }) => closedWith)).toEqual([3504, undefined]);
  });

  it('leave the one that came last, although the clock of its process is behind', () => {
    const [one, other] = nodesWithClocks(0, -60_000);
    const first = one!.connect('a', 1_000_000);
    settle([one!, other!]);
    const second = other!.connect('b', 1_001_000);
    settle([one!, other!]);
    expect([first.closedWith, second.closedWith]).toEqual([3504, undefined]);
  });

  it('leave one where a process with a slow clock has not heard of the other, whom the next one replaces', () => {
    const [one, other] = nodesWithClocks(0, -60_000);
    const first = one!.connect('a', 1_000_000);
    other!.forget();
    const second = other!.connect('b', 1_001_000);
    settle([one!, other!]);
    expect([first.closedWith, second.closedWith]).toEqual([undefined, 3504]);
    const third = other!.connect('c', 1_002_000);
    settle([one!, other!]);
    expect([first.closedWith, third.closedWith]).toEqual([3504, undefined]);
  });

  it('are made again while the store is away', async () => {
    const command = jest
      .fn<Delivery['command']>()
      .mockRejectedValueOnce(new Error('away'))
      .mockResolvedValue();
    const claims = new Claims({ command } as unknown as Delivery);
    const session = { id: 'a', user: 'u', claimedAt: 0, isOver: false } as unknown as Session;
    const made = claims.make(session);
    await jest.advanceTimersByTimeAsync(1_000);
    await made;
    expect(command.mock.calls.map(([{ user }]) => user)).toEqual(['u', 'u']);
    expect(command.mock.calls[1]).toEqual(command.mock.calls[0]);
  });

  it('leave exactly one, whatever the clocks say and in whichever order commands arrive', () => {
    const step = fc.oneof(
      fc.record({ connects: fc.nat(2) }),
      fc.record({ hears: fc.nat(2), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 60 }),
        (offsets, steps) => {
          const nodes = nodesWithClocks(...offsets);
          nodes[0]!.connect('first', 1_000);
          steps.forEach((each, index) => {
            if ('hears' in each) nodes[each.hears]!.hear(each.which);
            else nodes[each.connects]!.connect(`${index % 7}-${index}`, 1_000 + Math.floor(index / 10));
          });
          settle(nodes);
          expect(nodes.reduce((sum, { connections }) => sum + connections.size, 0)).toBe(1);
        },
      ),
    );
  });
});
