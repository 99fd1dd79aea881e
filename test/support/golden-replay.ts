import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { sign, unixNow, type CentrifugoApp } from './centrifugo-app.js';
import { ProtocolClient } from './protocol-client.js';
import type { ProxyBackend } from './proxy-backend.js';

/** One step of a recorded exchange with Centrifugo 6.9.1. */
export interface Step {
  readonly conn?: string;
  readonly open?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocols?: readonly string[];
  readonly negotiated_subprotocol?: string;
  readonly send?: string;
  readonly binary?: boolean;
  readonly send_bytes?: number;
  readonly token_claims?: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];
  readonly secret?: string;
  readonly alg?: string;
  readonly recv?: string;
  readonly closed_by_server?: { readonly code: number; readonly reason: string };
  readonly client_closes?: boolean;
  readonly quiet_ms?: number;
  readonly http?: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly response?: {
    readonly status: number;
    readonly content_type: string | null;
    readonly body: string;
    readonly json?: unknown;
  };
  /** A request that the server made to the backend of a proxy. */
  readonly callback?: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** What the backend answered. Without it, the backend does not answer. */
  readonly answer?: { readonly status: number; readonly body: string };
  /** Something that happened outside the connection, in words. */
  readonly note?: string;
}

export interface Scenario {
  readonly name: string;
  readonly config: string;
  readonly about: string;
  readonly steps: readonly Step[];
}

/** How long to wait for unexpected messages in a recorded silence that is not about a timer of the server, in ms. */
const SILENCE_MS = 60;

/**
 * Repeats what the recorded client did, and expects what it received. Differences in these are allowed: how messages are
 * grouped in frames, when pings arrive, the order of keys, up to a tenth of a ttl, and values with a placeholder.
 */
export class Replay {
  readonly #clients = new Map<string, ProtocolClient>();
  readonly #values = new Map<string, string>();

  /** @param backend of the proxies, for scenarios with callbacks */
  constructor(
    private readonly app: CentrifugoApp,
    private readonly backend?: ProxyBackend,
  ) {}

  /** Runs all steps, up to the first difference. */
  async run(steps: readonly Step[]): Promise<Outcome> {
    try {
      for (const step of steps) await this.#runStep(step);
      return { got: 'as recorded', wanted: 'as recorded' };
    } catch (error) {
      if (error instanceof Difference) return error;
      throw error;
    } finally {
      for (const { socket } of this.#clients.values()) socket.terminate();
    }
  }

  async #runStep(step: Step): Promise<void> {
    if (step.http !== undefined) return this.#call(step);
    if (step.callback !== undefined) return this.#answerCallback(step);
    if (step.open !== undefined) return this.#open(step);
    if (step.note !== undefined) return this.#simulate(step.note);
    const client = this.#clients.get(step.conn ?? '');
    if (client === undefined) return;
    const { socket } = client;
    if (step.negotiated_subprotocol !== undefined)
      compare(step, socket.protocol, step.negotiated_subprotocol);
    else if (step.send !== undefined) client.send(this.#withTokens(step), step.binary);
    else if (step.send_bytes !== undefined)
      client.send({ id: 99, rpc: { method: 'x', data: 'x'.repeat(step.send_bytes) } });
    else if (step.recv !== undefined)
      for (const line of step.recv.split('\n')) await this.#receive(step, client, line);
    else if (step.quiet_ms !== undefined) await expectSilence(step, client, step.quiet_ms);
    else if (step.closed_by_server !== undefined) compare(step, await client.ended(), step.closed_by_server);
    else if (step.client_closes === true) await client.close();
  }

  async #answerCallback(step: Step): Promise<void> {
    const { callback, answer } = step;
    const call = await this.backend!.next();
    compare(step, [call.method, call.path], [callback!.method, callback!.path]);
    compare(step, forwarded(call.headers), forwarded(callback!.headers));
    this.#compareJson(step, call.body, callback!.body);
    if (answer !== undefined) call.answer(answer.status, this.#fill(answer.body));
  }

  async #open({ conn = '', open = '', subprotocols, headers }: Step): Promise<void> {
    const url = new URL(open, this.app.socketUrl).href;
    this.#clients.set(conn, await ProtocolClient.open(url, subprotocols, headers && { headers }));
  }

  async #simulate(note: string): Promise<void> {
    if (note.startsWith('SIGTERM')) void this.app[Symbol.asyncDispose]();
    else if (note.startsWith('client stops reading')) await this.#floodPaused();
  }

  /** Publishes 400 times 60 KB to a client that does not read until the server has closed it. */
  async #floodPaused(): Promise<void> {
    const { socket } = this.#clients.get('A')!;
    socket.pause();
    const publication = { channel: 'bench:slow', data: 'x'.repeat(60_000) };
    for (let n = 0; n < 400; n++) await this.app.api('publish', publication);
    // The client cannot read the close frame either.
    while ((await this.app.clients()) > 0) await delay(100);
    socket.resume();
  }

  async #receive(step: Step, client: ProtocolClient, expected: string): Promise<void> {
    if (expected === '{}') await client.ping();
    else this.#compareJson(step, await client.next(), expected);
  }

  async #call(step: Step): Promise<void> {
    const { http, response } = step;
    const reply = await fetch(this.app.url + http!.path, {
      method: http!.method,
      headers: http!.headers,
      body: http!.body === undefined ? null : this.#fill(http!.body),
    });
    const body = await reply.text();
    compare(step, reply.status, response!.status);
    if (response!.body !== '(cut)' && response!.body !== '') this.#compareJson(step, body, response!.body);
  }

  /** A placeholder gets its value where it first occurs. */
  #compareJson(step: Step, got: string, expected: string): void {
    const actual = JSON.parse(got) as unknown;
    compare(step, actual, this.#resolve(JSON.parse(expected), actual));
  }

  #resolve(expected: unknown, actual: unknown): unknown {
    if (typeof expected === 'string') return this.#resolveText(expected, actual);
    if (typeof expected !== 'object' || expected === null) return expected;
    if (Array.isArray(expected))
      return expected.map((each, at) => this.#resolve(each, (actual as unknown[] | null)?.[at]));
    const found = (actual ?? {}) as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.entries(expected).map(([name, value]) => {
        const key = this.#values.get(name) ?? name;
        if (key === 'ttl' && isSlightlyLess(found[key], value as number)) return [key, found[key]];
        return [key, this.#resolve(value, found[key])];
      }),
    );
  }

  #resolveText(expected: string, actual: unknown): unknown {
    if (!/^\{\{\w+\}\}$/.test(expected)) return this.#fill(expected);
    if (expected === '{{version}}' && typeof actual === 'string') return actual;
    if (expected === '{{time_ms}}' && typeof actual === 'number') return actual;
    if (typeof actual === 'string' && !this.#values.has(expected)) this.#values.set(expected, actual);
    return this.#values.get(expected) ?? expected;
  }

  #withTokens({ send = '', token_claims: claims, secret, alg }: Step): string {
    const text = this.#fill(send);
    if (!text.includes('{{token}}')) return text;
    const token = sign(resolveTimes(claims ?? claimsOf(text)) as object, secret, alg);
    return text.replaceAll('{{token}}', token);
  }

  #fill(text: string): string {
    return text
      .replaceAll(/"\{\{now\+(\d+)\}\}"/g, (_, seconds: string) => String(unixNow() + Number(seconds)))
      .replaceAll(/\{\{\w+\}\}/g, (name) => this.#values.get(name) ?? name);
  }
}

/** Headers that each HTTP client sends in its own way. */
const OWN_HEADERS = ['accept-encoding', 'user-agent', 'host', 'connection', 'content-length'];

function forwarded(headers: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name)));
}

function isSlightlyLess(ttl: unknown, recorded: number): boolean {
  return typeof ttl === 'number' && ttl < recorded && ttl >= Math.min(recorded - 1, recorded * 0.9);
}

/** Returns the claims of an anonymous client, for steps whose claims were not recorded. */
function claimsOf(command: string): object {
  const { subscribe } = JSON.parse(command) as { subscribe?: { channel: string } };
  return { sub: '', channel: subscribe?.channel };
}

/** Replaces times such as `now+300` by Unix times. */
function resolveTimes(claims: unknown): unknown {
  if (typeof claims === 'string') {
    const [, offset] = /^now([+-]\d+)$/.exec(claims) ?? [];
    return offset === undefined ? claims : unixNow() + Number(offset);
  }
  if (typeof claims !== 'object' || claims === null) return claims;
  if (Array.isArray(claims)) return claims.map(resolveTimes);
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, resolveTimes(value)]));
}

async function expectSilence(step: Step, client: ProtocolClient, recordedMs: number): Promise<void> {
  const isTimed = recordedMs > 1_000;
  const before = stateOf(client);
  await delay(isTimed ? recordedMs : SILENCE_MS);
  compare(step, stateOf(client), before);
}

function stateOf({ messages, closed, pings }: ProtocolClient): object {
  return { messages: [...messages], closed, pings };
}

function compare(step: Step, got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted)) throw new Difference(step, got, wanted);
}

/** What a step returned, and what was expected. Both are equal if all steps were as recorded. */
export interface Outcome {
  readonly got: unknown;
  readonly wanted: unknown;
}

class Difference extends Error implements Outcome {
  readonly got: unknown;
  readonly wanted: unknown;

  constructor(step: Step, got: unknown, wanted: unknown) {
    super('not as recorded');
    this.got = { step, got };
    this.wanted = { step, got: wanted };
  }
}
