import { isUtf8 } from 'node:buffer';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Turns } from '../../async/index.js';
import { JsonScanner, MalformedJsonError } from '../../json/index.js';
import {
  bodyBytes,
  Callers,
  httpErrorTable,
  presentedKey,
  statusOf,
  type HttpErrorCode,
} from '../../http/index.js';
import { readTraceparent } from '../../message/index.js';
import { ListRequests } from '../list-requests.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import { limitExceeded } from './api.errors.js';
import { Batch, QUERIES, settleWithin } from './batch.js';
import type { Command } from './command.js';
import { readEnvelopes } from './envelopes.js';
import { Methods } from './methods.js';
import { faultText, Replies, replyText, type Outcome } from './replies.js';

const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Methods whose replies may be long. */
const COSTLY: ReadonlySet<string> = new Set(['presence', 'history', 'channels']);

/** One scanner serves all requests, because reading is synchronous. */
const scanner = new JsonScanner();

/**
 * Centrifugo's server API at `/api`. Its routes are routes of Fastify and not of Nest, because publishing is the hot path of
 * the process, and Nest's pipeline costs more than the publish itself. Its responses and errors have their own format.
 */
@Injectable()
export class ApiRoutes implements OnModuleInit {
  readonly #batch: Batch;

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly callers: Callers,
    private readonly methods: Methods,
    private readonly replies: Replies,
    private readonly lists: ListRequests,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {
    this.#batch = new Batch(methods, options.api);
  }

  onModuleInit(): void {
    if (!this.options.api.enabled) return;
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const route = { onRequest: this.#requireKey, bodyLimit: this.options.api.bodyLimitBytes };
    for (const method of this.methods.all) {
      const onRequest = COSTLY.has(method.name) ? [this.#requireKey, this.#admitCostly] : this.#requireKey;
      server.post(`/api/${method.name}`, { ...route, onRequest }, (request, reply) =>
        this.#respond(request, reply, () => method.read(scanner)),
      );
    }
    server.post('/api/batch', route, (request, reply) => this.#respondToBatch(request, reply));
    server.post('/api', route, (request, reply) => this.#respondToEnvelopes(request, reply));
    const paths = new Set(['', 'batch', ...this.methods.all.map(({ name }) => name)]);
    for (const path of ['/api', '/api/*'])
      server.route({
        method: path === '/api' ? ['GET', 'PUT', 'PATCH', 'DELETE'] : [...server.supportedMethods],
        url: path,
        handler: ({ url }, reply) => {
          const [name = ''] = url.slice('/api/'.length).split('?');
          if (paths.has(name)) return this.#refuse(reply.header('Allow', 'POST'), 'method_not_allowed');
          return this.#refuse(reply, 'not_found', '404 page not found\n');
        },
      });
  }

  /** Runs before the body is read. */
  readonly #requireKey = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    if (this.#needsNoKey(request) || this.callers.hasValidKey(keyOf(request), request.raw)) done();
    else void this.#refuse(reply, 'unauthorized');
  };

  readonly #admitCostly = (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    this.callers.admitCostly(request.raw, keyOf(request));
    done();
  };

  /** Browsers send `Origin`. Without this check, any web page could use the API of the machine on which it is open. */
  #needsNoKey({ headers }: FastifyRequest): boolean {
    return this.options.api.insecure && headers.origin === undefined;
  }

  async #respond(request: FastifyRequest, reply: FastifyReply, read: () => Command): Promise<FastifyReply> {
    const command = readBody(request, read);
    if (command === undefined) return this.#refuse(reply, 'invalid_json', 'Bad Request\n');
    const refusal = QUERIES.has(command.method) ? await this.#refusalOfList(request, reply) : undefined;
    const outcome = refusal ?? (await this.replies.settle(command, traceparentOf(request)));
    if ('fault' in outcome && this.#wantsStatus(request))
      return sendJson(reply.code(outcome.fault.status), faultText(outcome.fault));
    return sendJson(reply, replyText(outcome));
  }

  async #respondToBatch(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const run = readBody(request, () => this.#batch.read(scanner));
    if (run === undefined) return this.#refuse(reply, 'invalid_json', 'Bad Request\n');
    const refusal = await this.#refusalOfList(request, reply);
    if (refusal !== undefined) return sendJson(reply, replyText(refusal));
    const traceparent = traceparentOf(request);
    return sendJson(reply, await run((command) => this.replies.settle(command, traceparent)));
  }

  async #respondToEnvelopes(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const envelopes = readBody(request, () => readEnvelopes(scanner, this.methods));
    if (envelopes === undefined) return this.#refuse(reply, 'invalid_json', 'Bad Request\n');
    const refusal = await this.#refusalOfList(request, reply);
    if (refusal !== undefined) return sendJson(reply, replyText(refusal));
    const traceparent = traceparentOf(request);
    const { maxBatchCommands, responseMaxBytes } = this.options.api;
    if (envelopes.length > maxBatchCommands) {
      const message = `the request has ${envelopes.length} commands: at most ${maxBatchCommands} are accepted (api.maxBatchCommands)`;
      return sendJson(reply, replyText({ fault: limitExceeded(message).fault }));
    }
    const lines: string[] = [];
    const turns = new Turns();
    let room = responseMaxBytes;
    for (const { id, command } of envelopes) {
      if (turns.isOver) await turns.next();
      const line = replyText(
        await settleWithin(room, command, (each) => this.replies.settle(each, traceparent)),
        id,
      );
      room -= line.length;
      lines.push(line);
    }
    return sendJson(reply, lines.join('\n'));
  }

  /** Waits until the caller may request another response that may be large. Returns a fault if it has requested too many. */
  async #refusalOfList(request: FastifyRequest, reply: FastifyReply): Promise<Outcome | undefined> {
    try {
      await this.lists.admit(`key ${keyOf(request) ?? ''}`, reply.raw);
      return undefined;
    } catch (error) {
      return { fault: this.replies.faultOf(error, 'list') };
    }
  }

  /** Responds as Centrifugo does. The metric counts the code that the error has in other APIs. */
  #refuse(reply: FastifyReply, code: HttpErrorCode, text?: string): FastifyReply {
    this.replies.countRefusal(code);
    reply.code(statusOf(httpErrorTable[code]));
    return text === undefined ? reply.send() : reply.type(TEXT_TYPE).send(text);
  }

  #wantsStatus({ headers }: FastifyRequest): boolean {
    return (headers['x-centrifugo-error-mode'] ?? this.options.api.errorMode) === 'transport';
  }
}

function traceparentOf({ headers }: FastifyRequest): string | undefined {
  return readTraceparent(headers.traceparent);
}

/** If a request has several keys, only the first one in this order counts. */
function keyOf({ headers, url }: FastifyRequest): string | undefined {
  const key = presentedKey(headers);
  if (key !== undefined) return key;
  const query = url.indexOf('?');
  return query < 0 ? undefined : (new URLSearchParams(url.slice(query)).get('api_key') ?? undefined);
}

/** Returns what `read` returns for the body, or undefined if the body is malformed. The Content-Type is ignored. */
function readBody<Result>(request: FastifyRequest, read: () => Result): Result | undefined {
  const body = bodyBytes(request);
  if (body === undefined || !isUtf8(body)) return undefined;
  try {
    scanner.start(body);
    const result = read();
    scanner.finish();
    return result;
  } catch (error) {
    if (error instanceof MalformedJsonError) return undefined;
    throw error;
  }
}

/**
 * Sends text, because Node writes text and headers in one piece. The serializer bypasses Fastify's, which would add a
 * charset to the type.
 */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json').serializer(unchanged).send(text);
}

function unchanged(text: string): string {
  return text;
}
