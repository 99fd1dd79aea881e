import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { Journal } from '../support/event-log.ts';
import { WAIT_MS } from '../support/wait-ms.ts';

export type ClientProtocol = 'json' | 'protobuf';

/** The argument of a client program, as JSON. */
export interface ClientSettings {
  readonly url: string;
  readonly protocol: ClientProtocol;
  /** What the application gives the client, one after the other, whenever it asks for a connection token. */
  readonly tokens: readonly string[];
}

export interface StreamPosition {
  readonly offset: number;
  readonly epoch: string;
}

/** One line of a program's input, together with an `id`. Bytes in `data` are written `{"base64": "…"}`. */
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
  /** Asked for together, as far as the library knows how. */
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

/** One line of a program's output that answers no command: what the library told its application. */
export type ClientEvent =
  /** The library asked for a token, of this channel or of the connection. */
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

interface Answer {
  readonly answer: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What the server, or the library itself (code 0), answered instead of a result. */
export class ClientError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** How to run a program: the arguments go before the settings. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A real client library in a process of its own, whichever language it is written in. */
export class ClientProgram implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #journal = new Journal<ClientEvent>();
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #complaints = '';
  #lastId = 0;
  #seen = 0;

  constructor({ command, args, env }: Launch, settings: ClientSettings) {
    this.#process = spawn(command, [...args, JSON.stringify(settings)], { env: { ...process.env, ...env } });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaints += text));
    this.#process.stdin.on('error', () => {});
    createInterface(this.#process.stdout).on('line', (line) =>
      this.#take(JSON.parse(line) as ClientEvent | Answer),
    );
  }

  get events(): readonly ClientEvent[] {
    return this.#journal.entries;
  }

  /** What has been published so far, as the application got it. */
  publications(channel: string): readonly ClientPublication[] {
    return this.events.filter(
      (each) => each.event === 'publication' && each.channel === channel,
    ) as Named<'publication'>[];
  }

  /** Resolves with the result, of which each caller knows the form. Rejects with a {@link ClientError}. */
  async do<Result = unknown>(command: ClientCommand): Promise<Result> {
    const { id, answer } = this.#expectAnswer();
    this.#process.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    return (await this.#patiently(answer, `an answer to ${command.do}`)) as Result;
  }

  /** Resolves with the results, in the order of the commands. */
  async batch(commands: readonly ClientCommand[]): Promise<unknown[]> {
    const expected = commands.map(() => this.#expectAnswer());
    const [results] = await Promise.all([
      Promise.all(expected.map(({ answer }) => answer)),
      this.do({
        do: 'batch',
        commands: commands.map((command, i) => ({ id: expected[i]?.id ?? 0, ...command })),
      }),
    ]);
    return results;
  }

  /**
   * Resolves with the next event that has these fields, and counts it and all before it as seen: one call after the
   * other checks an order.
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
    await this.#patiently(
      this.#journal.until(() => find() >= 0),
      JSON.stringify(wanted),
    );
    const index = find();
    this.#seen = index + 1;
    return this.events[index] as Named<Name>;
  }

  /** Resolves when it holds of all events so far. */
  async until(holds: (events: readonly ClientEvent[]) => boolean, what: string): Promise<void> {
    await this.#patiently(this.#journal.until(holds), what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  #expectAnswer(): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    return { id, answer: answer.promise };
  }

  #take(line: ClientEvent | Answer): void {
    if ('event' in line) {
      this.#journal.add(line);
      return;
    }
    const { answer, result, error } = line;
    if (error === undefined) this.#answers.get(answer)?.resolve(result);
    else this.#answers.get(answer)?.reject(new ClientError(error.code, error.message));
    this.#answers.delete(answer);
  }

  async #patiently<Value>(awaited: Promise<Value>, what: string): Promise<Value> {
    const gaveUp = new AbortController();
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => limit.reject(this.#disappointment(what)), WAIT_MS);
    // An end of the program that nobody asked for.
    const ended = once(this.#process, 'exit', { signal: gaveUp.signal }).then(() =>
      Promise.reject(this.#disappointment(what)),
    );
    ended.catch(() => {});
    try {
      return await Promise.race([awaited, limit.promise, ended]);
    } finally {
      clearTimeout(timer);
      gaveUp.abort();
    }
  }

  #disappointment(what: string): Error {
    const told = this.events.map((event) => JSON.stringify(event)).join('\n');
    return new Error(`waited in vain for ${what}. The client told:\n${told}\n${this.#complaints}`);
  }
}
