import { randomUUID } from 'node:crypto';
import { inBackground, withDeadline } from '../../async/index.js';
import { NodeSilentError } from '../delivery.errors.js';
import type { NodeReply, NodeRequest } from './control-message.js';

/** Answers the requests of other nodes about one subject. What it throws reaches the caller as silence, and the log here. */
export type RequestHandler = (body: Buffer) => Buffer | Promise<Buffer>;

export interface NodeCallsOptions {
  readonly uid: string;
  readonly timeoutMs: number;
  readonly send: (node: string, message: NodeRequest | NodeReply) => Promise<void>;
}

/** Requests from one node to one other node, over the fan-out. A request is carried out at most once. */
export class NodeCalls {
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #pending = new Map<string, (body: Buffer) => void>();

  constructor(private readonly options: NodeCallsOptions) {}

  serve(subject: string, handler: RequestHandler): void {
    this.#handlers.set(subject, handler);
  }

  /**
   * Resolves to the answer of the node, which may be this one.
   * @throws NodeSilentError, BrokerUnavailableError
   */
  async ask(node: string, subject: string, body: Buffer): Promise<Buffer> {
    const { uid, timeoutMs, send } = this.options;
    if (node === uid) {
      const handler = this.#handlers.get(subject);
      if (handler === undefined) throw new NodeSilentError(node);
      return handler(body);
    }
    const call = randomUUID();
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#pending.set(call, resolve);
    try {
      return await withDeadline(
        timeoutMs,
        () => new NodeSilentError(node),
        async () => {
          await send(node, { say: 'ask', call, from: uid, subject, data: body });
          return promise;
        },
      );
    } finally {
      this.#pending.delete(call);
    }
  }

  onRequest({ call, from, subject, data }: NodeRequest): void {
    const handler = this.#handlers.get(subject);
    if (handler === undefined) return;
    inBackground('request of another node', async () => {
      await this.options.send(from, { say: 'answer', call, data: await handler(data) });
    });
  }

  onReply({ call, data }: NodeReply): void {
    this.#pending.get(call)?.(data);
  }
}
