import type { Nodes } from '../nodes/nodes.js';
import type { Registrations } from './registrations.js';

/** What is known about a connection on the node that holds it. */
export interface ConnectionStatus {
  /** Unix time in ms. */
  readonly connectedAt: number;
  /** When the client sent its latest message, or when something was sent to it: Unix time in ms. */
  readonly lastActiveAt: number;
  readonly address: string;
  readonly userAgent: string;
}

/** Carries out calls on the connections of this node. Each method returns false or undefined if it has no such connection. */
export interface ConnectionCallHandler {
  send(id: string, data: Buffer, isText: boolean): boolean;
  close(id: string): boolean;
  inspect(id: string): ConnectionStatus | undefined;
}

type Call =
  | { readonly call: 'send'; readonly id: string; readonly isText: boolean }
  | { readonly call: 'close' | 'inspect'; readonly id: string };

const SUBJECT = 'connection';
const END_OF_LINE = 0x0a;
const NOTHING = Buffer.alloc(0);

/**
 * Calls on registered connections, on whichever node they are. A call resolves to false or undefined if the connection is gone, and
 * rejects with `NodeSilentError` or `BrokerUnavailableError` if that is not known.
 */
export class ConnectionCalls {
  #handler: ConnectionCallHandler | undefined;

  constructor(
    private readonly nodes: Nodes,
    private readonly registrations: Registrations,
  ) {}

  serve(handler: ConnectionCallHandler): void {
    this.#handler = handler;
    this.nodes.answer(SUBJECT, (request) => {
      const end = request.indexOf(END_OF_LINE);
      const call = JSON.parse(request.toString('utf8', 0, end)) as Call;
      return Buffer.from(JSON.stringify(carryOut(handler, call, request.subarray(end + 1)) ?? null));
    });
  }

  async send(id: string, data: Buffer, isText: boolean): Promise<boolean> {
    return (await this.#call({ call: 'send', id, isText }, data)) === true;
  }

  async close(id: string): Promise<boolean> {
    return (await this.#call({ call: 'close', id })) === true;
  }

  async inspect(id: string): Promise<ConnectionStatus | undefined> {
    return (await this.#call({ call: 'inspect', id })) as ConnectionStatus | undefined;
  }

  async #call(call: Call, data: Buffer = NOTHING): Promise<unknown> {
    // The connections of this node need no look into the registry.
    const here = this.#handler && carryOut(this.#handler, call, data);
    if (here !== undefined && here !== false) return here;
    const registered = await this.registrations.find(call.id);
    if (registered === undefined) return undefined;
    const request = Buffer.concat([Buffer.from(`${JSON.stringify(call)}\n`), data]);
    const answer = await this.nodes.ask(registered.node, SUBJECT, request);
    return (JSON.parse(answer.toString()) as unknown) ?? undefined;
  }
}

function carryOut(handler: ConnectionCallHandler, call: Call, data: Buffer): unknown {
  switch (call.call) {
    case 'send':
      return handler.send(call.id, data, call.isText);
    case 'close':
      return handler.close(call.id);
    case 'inspect':
      return handler.inspect(call.id);
  }
}
