import { isUtf8 } from 'node:buffer';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { JsonScanner, MalformedJsonError } from '../../json/index.js';
import { Callers, httpErrorTable, presentedKey, statusOf, type HttpErrorCode } from '../../http/index.js';
import { readTraceparent } from '../../message/index.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import { Batch } from './batch.js';
import type { Command } from './command.js';
import { readEnvelopes } from './envelopes.js';
import { Methods } from './methods.js';
import { faultText, Replies, replyText } from './replies.js';

const TEXT_TYPE = 'text/plain; charset=utf-8';

/** One scanner serves all requests: reading never yields. */
const scanner = new JsonScanner();

/**
 * Centrifugo's server API at `/api`. Its routes are the HTTP server's own and not Nest's: publishing is the hot path of the
 * process, and Nest's pipeline would cost more than what it wraps. Its answers and errors have a form of their own.
 */
@Injectable()
export class ApiRoutes implements OnModuleInit {
  readonly #batch: Batch;

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly callers: Callers,
    private readonly methods: Methods,
    private readonly replies: Replies,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {
    this.#batch = new Batch(methods);
  }

  onModuleInit(): void {
    if (!this.options.api.enabled) return;
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const route = { onRequest: this.#requireKey, bodyLimit: this.options.api.bodyLimitBytes };
    for (const method of this.methods.all)
      server.post(`/api/${method.name}`, route, (request, reply) =>
        this.#answer(request, reply, () => method.read(scanner)),
      );
    server.post('/api/batch', route, (request, reply) => this.#answerBatch(request, reply));
    server.post('/api', route, (request, reply) => this.#answerEnvelopes(request, reply));
    const paths = new Set(['', 'batch', ...this.methods.all.map(({ name }) => name)]);
    for (const path of ['/api', '/api/*'])
      server.route({
        method: path === '/api' ? ['GET', 'PUT', 'PATCH', 'DELETE'] : [...server.supportedMethods],
        url: path,
        handler: ({ url }, reply) => {
          const [asked = ''] = url.slice('/api/'.length).split('?');
          if (paths.has(asked)) return this.#refuse(reply.header('Allow', 'POST'), 'method_not_allowed');
          return this.#refuse(reply, 'not_found', '404 page not found\n');
        },
      });
  }

  /** Before the body is read. */
  readonly #requireKey = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    if (this.#needsNoKey(request) || this.callers.opens(keyOf(request), request.raw)) done();
    else void this.#refuse(reply, 'unauthorized');
  };

  /** Browsers name the page in `Origin`: otherwise any page could use the API of the machine on which it is read. */
  #needsNoKey({ headers }: FastifyRequest): boolean {
    return this.options.api.insecure && headers.origin === undefined;
  }

  async #answer(request: FastifyRequest, reply: FastifyReply, read: () => Command): Promise<FastifyReply> {
    const command = readBody(request, read);
    if (command === undefined) return this.#refuse(reply, 'invalid_json', 'Bad Request\n');
    const outcome = await this.replies.settle(command, traceparentOf(request));
    if ('fault' in outcome && this.#wantsStatus(request))
      return sendJson(reply.code(outcome.fault.status), faultText(outcome.fault));
    return sendJson(reply, replyText(outcome));
  }

  async #answerBatch(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const run = readBody(request, () => this.#batch.read(scanner));
    if (run === undefined) return this.#refuse(reply, 'invalid_json', 'Bad Request\n');
    const traceparent = traceparentOf(request);
    const answer = await run((command) => this.replies.settle(command, traceparent));
    return sendJson(reply, answer);
  }

  async #answerEnvelopes(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const envelopes = readBody(request, () => readEnvelopes(scanner, this.methods));
    if (envelopes === undefined) return this.#refuse(reply, 'invalid_json', 'Bad Request\n');
    const traceparent = traceparentOf(request);
    const lines: string[] = [];
    for (const { id, command } of envelopes)
      lines.push(replyText(await this.replies.settle(command, traceparent), id));
    return sendJson(reply, lines.join('\n'));
  }

  /** The answer is Centrifugo's; it is counted by the code that it would have elsewhere. */
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

/** What `read` makes of the body; undefined where the body is no such JSON. The type that it claims to have is not looked at. */
function readBody<Result>({ body }: FastifyRequest, read: () => Result): Result | undefined {
  if (!Buffer.isBuffer(body) || !isUtf8(body)) return undefined;
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

/** As text, which Node sends in one piece with the headers, and past Fastify, which would add a charset to the type. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json').serializer(asItIs).send(text);
}

function asItIs(text: string): string {
  return text;
}
