import type { Duplex } from 'node:stream';
import { Logger } from '@nestjs/common';
import { inBackground } from '../async/index.js';
import { FramedStream } from './framed-stream.js';
import { FunctionTable, type Callable } from './function-table.js';
import { LinkEndedError, RemoteError } from './ipc.errors.js';

/** The methods that the other end may call, by name. */
export type Methods = Readonly<Record<string, Callable>>;

type Packet =
  /** Calls a served method. Without an id, no reply is sent. */
  | readonly ['call', id: number | undefined, port: string, method: string, args: readonly unknown[]]
  /** Calls a function that this end passed to the other one. */
  | readonly ['invoke', id: number, reference: number, args: readonly unknown[]]
  | readonly ['result', id: number, value: unknown]
  | readonly ['failure', id: number, code: string | undefined, message: string];

/** If the other process leaves more bytes unread, it is stuck: the link ends before this process runs out of memory. */
const MAX_UNREAD_BYTES = 256 * 1024 * 1024;

/**
 * A connection between two processes on one machine. Each end calls the methods that the other end serves.
 *
 * - Packets arrive in the order in which they were sent.
 * - Values are copied. They may be anything that the structured clone algorithm accepts.
 * - Functions may be arguments or results, themselves or as properties of a plain object. They are passed by reference: calling
 *   one calls it in the process that it came from. A reference is valid until the link ends.
 * - When the link ends, every pending call rejects with {@link LinkEndedError}.
 */
export class Link {
  readonly #logger = new Logger(Link.name);
  readonly #stream: FramedStream;
  readonly #served = new Map<string, Methods>();
  readonly #functions = new FunctionTable((reference, args) => this.#invoke(reference, args));
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #onEnd = new Set<() => void>();
  #calls = 0;
  #ended = false;

  constructor(
    private readonly stream: Duplex,
    private readonly maxUnreadBytes = MAX_UNREAD_BYTES,
  ) {
    this.#stream = new FramedStream(stream, (packet) => this.#receive(packet as Packet));
    stream.on('close', () => this.#end());
    stream.on('end', () => stream.destroy());
    stream.on('error', () => {}); // `close` follows
  }

  get ended(): boolean {
    return this.#ended;
  }

  serve(port: string, methods: Methods): void {
    this.#served.set(port, methods);
  }

  /**
   * @throws {LinkEndedError}
   * @throws {RemoteError} the method failed at the other end
   */
  call<Result>(port: string, method: string, ...args: readonly unknown[]): Promise<Result> {
    return this.#request((id) => ['call', id, port, method, args.map((arg) => this.#functions.pack(arg))]);
  }

  /** Calls a method without waiting for it. Neither its result nor a failure is reported here. */
  notify(port: string, method: string, ...args: readonly unknown[]): void {
    this.#send(['call', undefined, port, method, args]);
  }

  /** Calls the listener once, immediately if the link has already ended. Returns a function that removes the listener. */
  onEnd(listener: () => void): () => void {
    if (this.#ended) listener();
    else this.#onEnd.add(listener);
    return () => void this.#onEnd.delete(listener);
  }

  /** Ends the link after everything that was sent before. */
  close(): void {
    this.#stream.flush();
    this.stream.end();
  }

  #invoke(reference: number, args: readonly unknown[]): Promise<unknown> {
    return this.#request((id) => ['invoke', id, reference, args]);
  }

  #request<Result>(packetFor: (id: number) => Packet): Promise<Result> {
    if (this.#ended) return Promise.reject(new LinkEndedError());
    const id = ++this.#calls;
    const pending = Promise.withResolvers<unknown>();
    this.#pending.set(id, pending);
    this.#send(packetFor(id));
    return pending.promise as Promise<Result>;
  }

  #send(packet: Packet): void {
    if (this.#ended) return;
    this.#stream.send(packet);
    if (this.#stream.unreadBytes <= this.maxUnreadBytes) return;
    this.#logger.error(
      `disconnected a process that left ${this.#stream.unreadBytes} bytes unread; at most ${this.maxUnreadBytes} are kept for it`,
    );
    this.stream.destroy();
    this.#end();
  }

  #receive(packet: Packet): void {
    switch (packet[0]) {
      case 'call': {
        const [, id, port, method, args] = packet;
        const called = this.#served.get(port)?.[method];
        this.#reply(id, called ?? failing(`nothing is served as ${port}.${method}`), args);
        break;
      }
      case 'invoke': {
        const [, id, reference, args] = packet;
        this.#reply(id, this.#functions.find(reference) ?? failing('the function is unknown'), args);
        break;
      }
      case 'result': {
        const [, id, value] = packet;
        this.#takePending(id)?.resolve(this.#functions.unpack(value));
        break;
      }
      case 'failure': {
        const [, id, code, message] = packet;
        this.#takePending(id)?.reject(new RemoteError(code, message));
        break;
      }
      default:
        packet satisfies never;
    }
  }

  #reply(id: number | undefined, called: Callable, packed: readonly unknown[]): void {
    // Inside the promise, so that a function that throws at once rejects it.
    const done = new Promise((resolve) => {
      resolve(called(...(packed.map((arg) => this.#functions.unpack(arg)) as never[])));
    });
    done.then(
      (value) => id !== undefined && this.#send(['result', id, this.#functions.pack(value)]),
      (error: unknown) => {
        if (id !== undefined) this.#send(['failure', id, ...describe(error)]);
        else this.#logger.error(error);
      },
    );
  }

  #takePending(id: number): PromiseWithResolvers<unknown> | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { reject } of this.#pending.values()) reject(new LinkEndedError());
    this.#pending.clear();
    for (const listener of this.#onEnd) inBackground('end of the link to another process', listener);
    this.#onEnd.clear();
  }
}

function failing(reason: string): Callable {
  return () => Promise.reject(new Error(reason));
}

function describe(error: unknown): [code: string | undefined, message: string] {
  if (!(error instanceof Error)) return [undefined, String(error)];
  // An error of a third process keeps its code.
  const code = error instanceof RemoteError ? error.remoteCode : (error as { code?: unknown }).code;
  return [typeof code === 'string' ? code : undefined, error.message];
}
