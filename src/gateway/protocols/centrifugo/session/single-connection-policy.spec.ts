import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import type { ControlCommand, Nodes } from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import { SingleConnectionPolicy } from './single-connection-policy.js';
import { ControlHandler } from './control-handler.js';
import type { Session } from './session.js';
import type { HandlerDependencies } from '../handlers/handler-dependencies.js';

/** A connection of the only user. */
class Connection {
  readonly isConnected = true;
  readonly isOver = false;
  takeoverAt = 0;
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

/** A process with its own clock offset. It receives a command when the test says so. */
class Node {
  readonly connections = new Set<Connection>();
  readonly #inbox: ControlCommand[] = [];
  readonly #controls: ControlHandler;
  readonly #policy: SingleConnectionPolicy;

  constructor(
    nodes: readonly Node[],
    private readonly clockOffsetMs: number,
  ) {
    const command = async (given: ControlCommand) => {
      for (const node of nodes) node.#inbox.push(given);
    };
    this.#policy = new SingleConnectionPolicy({ command } as unknown as Nodes);
    this.#controls = new ControlHandler({
      singleConnection: this.#policy,
      users: { sessionsOf: () => this.connections },
      inBackground: () => {},
    } as unknown as HandlerDependencies);
  }

  connect(id: string, at: number): Connection {
    const connection = new Connection(id, this);
    jest.setSystemTime(at + this.clockOffsetMs);
    void this.#policy.takeOver(connection as unknown as Session);
    return connection;
  }

  /** Receives one of the commands on their way to it. Returns whether there was one. */
  receive(which: number): boolean {
    const [command] = this.#inbox.splice(which % Math.max(1, this.#inbox.length), 1);
    if (command !== undefined) this.#controls.execute(command);
    return command !== undefined;
  }

  /** Loses all commands on their way to it, as after a network partition. */
  dropAll(): void {
    this.#inbox.length = 0;
  }
}

function nodesWithClocks(...offsets: readonly number[]): Node[] {
  const nodes: Node[] = [];
  for (const offset of offsets) nodes.push(new Node(nodes, offset));
  return nodes;
}

function settle(nodes: readonly Node[]): void {
  while (nodes.some((node) => node.receive(0)));
}

describe('SingleConnectionPolicy', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('keeps one of two connections that are made at the same moment', () => {
    const [one, other] = nodesWithClocks(0, 0);
    const connections = [one!.connect('a', 1_000), other!.connect('b', 1_000)];
    settle([one!, other!]);
    expect(connections.map(({ closedWith }) => closedWith)).toEqual([3504, undefined]);
  });

  it('keeps the latest connection, although the clock of its process is behind', () => {
    const [one, other] = nodesWithClocks(0, -60_000);
    const first = one!.connect('a', 1_000_000);
    settle([one!, other!]);
    const second = other!.connect('b', 1_001_000);
    settle([one!, other!]);
    expect([first.closedWith, second.closedWith]).toEqual([3504, undefined]);
  });

  it('keeps one connection if a process with a slow clock missed a takeover, and the next takeover replaces it', () => {
    const [one, other] = nodesWithClocks(0, -60_000);
    const first = one!.connect('a', 1_000_000);
    other!.dropAll();
    const second = other!.connect('b', 1_001_000);
    settle([one!, other!]);
    expect([first.closedWith, second.closedWith]).toEqual([undefined, 3504]);
    const third = other!.connect('c', 1_002_000);
    settle([one!, other!]);
    expect([first.closedWith, third.closedWith]).toEqual([3504, undefined]);
  });

  it('retries the takeover while the store is unavailable', async () => {
    const command = jest.fn<Nodes['command']>().mockRejectedValueOnce(new Error('away')).mockResolvedValue();
    const policy = new SingleConnectionPolicy({ command } as unknown as Nodes);
    const session = { id: 'a', user: 'u', takeoverAt: 0, isOver: false } as unknown as Session;
    const made = policy.takeOver(session);
    await jest.advanceTimersByTimeAsync(1_000);
    await made;
    expect(command.mock.calls.map(([{ user }]) => user)).toEqual(['u', 'u']);
    expect(command.mock.calls[1]).toEqual(command.mock.calls[0]);
  });

  it('keeps exactly one connection, whatever the clock offsets and the order of the commands', () => {
    const step = fc.oneof(
      fc.record({ connects: fc.nat(2) }),
      fc.record({ receives: fc.nat(2), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 60 }),
        (offsets, steps) => {
          const nodes = nodesWithClocks(...offsets);
          nodes[0]!.connect('first', 1_000);
          steps.forEach((each, index) => {
            if ('receives' in each) nodes[each.receives]!.receive(each.which);
            else nodes[each.connects]!.connect(`${index % 7}-${index}`, 1_000 + Math.floor(index / 10));
          });
          settle(nodes);
          expect(nodes.reduce((sum, { connections }) => sum + connections.size, 0)).toBe(1);
        },
      ),
    );
  });
});
