import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { EventLog } from '../support/event-log.ts';
import { WAIT_MS } from '../support/wait-ms.ts';

export type ClientProtocol = 'json' | 'protobuf';

/** The argument of a client program, as JSON. */
export interface ClientSettings {
  readonly url: string;
  readonly protocol: ClientProtocol;
  /** The application's connection tokens. Each request of the client gets the next one. */
  readonly tokens: readonly string[];
}

export interface StreamPosition {
  readonly offset: number;
  readonly epoch: string;
}

/** One line of the program's input, together with an `id`. Bytes in `data` are `{"base64": "…"}`. */
export type ClientCommand =
  | { readonly do: 'connect' | 'disconnect' }
  | { readonly do: 'subscribe'; readonly channel: string; readonly tokens?: readonly string[] }
  | { readonly do: 'unsubscribe' | 'presence' | 'presenceStats'; readonly channel: string }
  | { readonly do: 'publish'; readonly channel: string; readonly data: unknown }
  | {
      readonly do: 'history';
      readonly channel: string;
      readonly limit?: number;
      readonly since?: StreamPosition;
      readonly reverse?: boolean;
    }
  | { readonly do: 'rpc'; readonly method: string; readonly data: unknown }
  /** Sends the commands together, as far as the library can. */
  | { readonly do: 'batch'; readonly commands: readonly (ClientCommand & { readonly id: number })[] };

export interface ClientInfo {
  readonly client: string;
  readonly user: string;
  readonly connInfo?: unknown;
  readonly chanInfo?: unknown;
}

export interface ClientPublication {
  readonly data: unknown;
  readonly offset?: number;
  readonly info?: ClientInfo;
}

/** One line of the program's output that is not a reply to a command: an event that the library reported. */
export type ClientEvent =
  /** The library requested a token, for this channel or for the connection. */
  | { readonly event: 'token'; readonly channel?: string }
  | { readonly event: 'connecting' | 'disconnected'; readonly code: number; readonly reason: string }
  | { readonly event: 'connected'; readonly client: string }
  | { readonly event: 'subscribing'; readonly channel: string; readonly code: number }
  | {
      readonly event: 'subscribed';
      readonly channel: string;
      readonly wasRecovering: boolean;
      readonly recovered: boolean;
    }
  | { readonly event: 'unsubscribed'; readonly channel: string; readonly code?: number }
  | ({ readonly event: 'publication'; readonly channel: string } & ClientPublication)
  | ({ readonly event: 'join' | 'leave'; readonly channel: string } & ClientInfo)
  | { readonly event: 'error'; readonly channel?: string; readonly message: string };

type Named<Name extends ClientEvent['event']> = ClientEvent & { readonly event: Name };

interface Reply {
  /** The id of the command. */
  readonly reply: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** The error of the server, or of the library itself (code 0). */
export class ClientError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** How to start a client program. The settings follow the arguments. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A real client library, in any language, in its own process. */
export class ClientProgram implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #events = new EventLog<ClientEvent>();
  readonly #replies = new Map<number, PromiseWithResolvers<unknown>>();
  #stderr = '';
  #lastId = 0;
  #seen = 0;

  constructor({ command, args, env }: Launch, settings: ClientSettings) {
    this.#process = spawn(command, [...args, JSON.stringify(settings)], { env: { ...process.env, ...env } });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#process.stdin.on('error', () => {});
    createInterface(this.#process.stdout).on('line', (line) =>
      this.#onLine(JSON.parse(line) as ClientEvent | Reply),
    );
  }

  get events(): readonly ClientEvent[] {
    return this.#events.entries;
  }

  /** All publications that the library has delivered so far. */
  publications(channel: string): readonly ClientPublication[] {
    return this.events.filter(
      (each) => each.event === 'publication' && each.channel === channel,
    ) as Named<'publication'>[];
  }

  /** Resolves with the result. Rejects with a {@link ClientError}. */
  async do<Result = unknown>(command: ClientCommand): Promise<Result> {
    const { id, reply } = this.#expectReply();
    this.#process.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    return (await this.#withTimeout(reply, `the reply to ${command.do}`)) as Result;
  }

  /** Resolves with the results, in the order of the commands. */
  async batch(commands: readonly ClientCommand[]): Promise<unknown[]> {
    const expected = commands.map(() => this.#expectReply());
    const [results] = await Promise.all([
      Promise.all(expected.map(({ reply }) => reply)),
      this.do({
        do: 'batch',
        commands: commands.map((command, i) => ({ id: expected[i]?.id ?? 0, ...command })),
      }),
    ]);
    return results;
  }

  /**
   * Resolves with the next event that has these fields. This event and all before it then count as seen, so successive
   * calls check the order of events.
   */
  async sees<Name extends ClientEvent['event']>(
    wanted: { readonly event: Name } & Partial<Named<Name>>,
  ): Promise<Named<Name>> {
    const find = (): number =>
      this.events.findIndex(
        (event, index) =>
          index >= this.#seen &&
          Object.entries(wanted).every(([key, value]) =>
            isDeepStrictEqual((event as Record<string, unknown>)[key], value),
          ),
      );
    await this.#withTimeout(
      this.#events.until(() => find() >= 0),
      JSON.stringify(wanted),
    );
    const index = find();
    this.#seen = index + 1;
    return this.events[index] as Named<Name>;
  }

  /** Resolves when the condition holds for the events so far. */
  async until(holds: (events: readonly ClientEvent[]) => boolean, what: string): Promise<void> {
    await this.#withTimeout(this.#events.until(holds), what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  #expectReply(): { readonly id: number; readonly reply: Promise<unknown> } {
    const id = ++this.#lastId;
    const reply = Promise.withResolvers<unknown>();
    this.#replies.set(id, reply);
    return { id, reply: reply.promise };
  }

  #onLine(line: ClientEvent | Reply): void {
    if ('event' in line) {
      this.#events.add(line);
      return;
    }
    const { reply, result, error } = line;
    if (error === undefined) this.#replies.get(reply)?.resolve(result);
    else this.#replies.get(reply)?.reject(new ClientError(error.code, error.message));
    this.#replies.delete(reply);
  }

  async #withTimeout<Value>(awaited: Promise<Value>, what: string): Promise<Value> {
    const done = new AbortController();
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => limit.reject(this.#timeoutError(what)), WAIT_MS);
    // The program exits early only if it crashes.
    const ended = once(this.#process, 'exit', { signal: done.signal }).then(() =>
      Promise.reject(this.#timeoutError(what)),
    );
    ended.catch(() => {});
    try {
      return await Promise.race([awaited, limit.promise, ended]);
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  #timeoutError(what: string): Error {
    const events = this.events.map((event) => JSON.stringify(event)).join('\n');
    return new Error(`waited in vain for ${what}. Events so far:\n${events}\n${this.#stderr}`);
  }
}
