import type { Duplex } from 'node:stream';
import { Logger } from '@nestjs/common';
import { Frames } from './frames.js';
import { LinkEndedError, RemoteError } from './ipc.errors.js';
import { FunctionTable, type Callable } from './function-table.js';

/** What may be called by the other end, by name. */
export type Served = Readonly<Record<string, Callable>>;

type Packet =
  /** Calls a served method; without an id nobody waits for the answer. */
  | readonly ['call', id: number | undefined, port: string, method: string, args: readonly unknown[]]
  /** Calls a function that this end was given. */
  | readonly ['invoke', id: number, reference: number, args: readonly unknown[]]
  | readonly ['result', id: number, value: unknown]
  | readonly ['failure', id: number, code: string | undefined, message: string];

/** Bytes that may wait for the other end. Beyond it that process is stuck, and is cut off rather than let memory run out. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/**
 * A connection between two processes on one machine, over which either calls what the other serves.
 *
 * Packets arrive in the order of sending. A value is copied: it may be whatever the structured clone algorithm takes, with
 * functions among the arguments or in the result, themselves or one level down, which go by reference: calling one calls it
 * where it came from. A reference lives as long as the link.
 *
 * When the link ends every call under way rejects with {@link LinkEndedError}.
 */
export class Link {
  readonly #logger = new Logger(Link.name);
  readonly #frames: Frames;
  readonly #served = new Map<string, Served>();
  readonly #functions = new FunctionTable((reference, args) => this.#invoke(reference, args));
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #onEnd = new Set<() => void>();
  #calls = 0;
  #ended = false;

  constructor(
    private readonly stream: Duplex,
    private readonly maxWaitingBytes = MAX_WAITING_BYTES,
  ) {
    this.#frames = new Frames(stream, (packet) => this.#receive(packet as Packet));
    stream.on('close', () => this.#end());
    stream.on('end', () => stream.destroy());
    stream.on('error', () => {}); // `close` follows
  }

  get ended(): boolean {
    return this.#ended;
  }

  serve(port: string, methods: Served): void {
    this.#served.set(port, methods);
  }

  /**
   * @throws {LinkEndedError}
   * @throws {RemoteError} it failed at the other end
   */
  call<Result>(port: string, method: string, ...args: readonly unknown[]): Promise<Result> {
    return this.#ask((id) => ['call', id, port, method, args.map((arg) => this.#functions.pack(arg))]);
  }

  /** As `call`, for what needs no answer: whether it arrives and what comes of it is not told. */
  tell(port: string, method: string, ...args: readonly unknown[]): void {
    this.#send(['call', undefined, port, method, args]);
  }

  /** Called once, at once if the link has ended already. Answers a function that takes the wish back. */
  onEnd(listener: () => void): () => void {
    if (this.#ended) listener();
    else this.#onEnd.add(listener);
    return () => void this.#onEnd.delete(listener);
  }

  /** What was sent before goes out first. */
  close(): void {
    this.#frames.flush();
    this.stream.end();
  }

  #invoke(reference: number, args: readonly unknown[]): Promise<unknown> {
    return this.#ask((id) => ['invoke', id, reference, args]);
  }

  #ask<Result>(packetOf: (id: number) => Packet): Promise<Result> {
    if (this.#ended) return Promise.reject(new LinkEndedError());
    const id = ++this.#calls;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#send(packetOf(id));
    return waiting.promise as Promise<Result>;
  }

  #send(packet: Packet): void {
    if (this.#ended) return;
    this.#frames.send(packet);
    if (this.#frames.waitingBytes <= this.maxWaitingBytes) return;
    this.#logger.error(`cut off a process that left ${this.#frames.waitingBytes} bytes unread`);
    this.stream.destroy();
    this.#end();
  }

  #receive(packet: Packet): void {
    switch (packet[0]) {
      case 'call': {
        const [, id, port, method, args] = packet;
        const called = this.#served.get(port)?.[method];
        this.#answer(id, called ?? refuse(`nothing is served as ${port}.${method}`), args);
        break;
      }
      case 'invoke': {
        const [, id, reference, args] = packet;
        this.#answer(id, this.#functions.find(reference) ?? refuse('the function is unknown'), args);
        break;
      }
      case 'result': {
        const [, id, value] = packet;
        this.#take(id)?.resolve(this.#functions.unpack(value));
        break;
      }
      case 'failure': {
        const [, id, code, message] = packet;
        this.#take(id)?.reject(new RemoteError(code, message));
        break;
      }
      default:
        packet satisfies never;
    }
  }

  #answer(id: number | undefined, called: Callable, packed: readonly unknown[]): void {
    // A call that fails at once is a rejection as any other.
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

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(new LinkEndedError());
    this.#waiting.clear();
    for (const listener of this.#onEnd) listener();
    this.#onEnd.clear();
  }
}

function refuse(reason: string): Callable {
  return () => Promise.reject(new Error(reason));
}

function describe(error: unknown): [code: string | undefined, message: string] {
  if (!(error instanceof Error)) return [undefined, String(error)];
  // What failed at a third process keeps its code.
  const code = error instanceof RemoteError ? error.remoteCode : (error as { code?: unknown }).code;
  return [typeof code === 'string' ? code : undefined, error.message];
}
