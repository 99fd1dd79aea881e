import { isUtf8 } from 'node:buffer';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConnectionCalls, type ConnectionStatus } from '../../../../delivery/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../../gateway.module-definition.js';
import { functionsSettings } from '../functions.options.js';
import { ManagementAccess } from './management-access.js';
import { ManagementFailures } from './management-failures.js';
import { ConnectionGoneError, InvalidConnectionIdError } from './management.errors.js';

type Request = FastifyRequest<{ Params: { readonly id: string } }>;

const PATHS = ['/@connections/:id', '/:stage/@connections/:id'];
/** Ids of AWS are base64. */
const CONNECTION_ID = /^[\w+/-]{1,128}={0,2}$/;
const NOTHING = Buffer.alloc(0);

/**
 * AWS's management API for the connections of WebSocket APIs. Its routes are routes of Fastify and not of Nest, because they accept
 * larger bodies than others, and because its errors have their own format.
 */
@Injectable()
export class ManagementRoutes implements OnModuleInit {
  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) private readonly options: GatewayModuleOptions,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly calls: ConnectionCalls,
    private readonly access: ManagementAccess,
    private readonly failures: ManagementFailures,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const { maxMessageBytes } = functionsSettings.of(this.options).management;
    const route = {
      bodyLimit: maxMessageBytes,
      onRequest: this.#admit,
      preHandler: this.#verify,
      errorHandler: this.failures.respond.bind(this.failures),
    };
    for (const path of PATHS) {
      server.post<{ Params: { id: string } }>(path, route, (request, reply) => this.#post(request, reply));
      server.get<{ Params: { id: string } }>(path, route, (request) => this.#get(request));
      server.delete<{ Params: { id: string } }>(path, route, (request, reply) =>
        this.#delete(request, reply),
      );
    }
  }

  /** Runs before the body is read. */
  readonly #admit = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    void reply.header('x-amzn-RequestId', request.id);
    this.access.admit(request);
    done();
  };

  readonly #verify = (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    this.access.verify(request, bytesOf(request));
    done();
  };

  /** A message that is text is sent as text. */
  async #post(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    const data = bytesOf(request);
    requireConnection(await this.calls.send(idOf(request), data, isUtf8(data)));
    return reply.send();
  }

  async #get(request: Request): Promise<object> {
    const { connectedAt, lastActiveAt, address, userAgent } = requireConnection(
      await this.calls.inspect(idOf(request)),
    );
    return {
      connectedAt: new Date(connectedAt).toISOString(),
      identity: { sourceIp: address, userAgent },
      lastActiveAt: new Date(lastActiveAt).toISOString(),
    };
  }

  async #delete(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    requireConnection(await this.calls.close(idOf(request)));
    return reply.code(204).send();
  }
}

function requireConnection<Result extends boolean | ConnectionStatus>(result: Result | undefined): Result {
  if (result === undefined || result === false)
    throw new ConnectionGoneError('there is no open connection with this id');
  return result;
}

/** Some callers encode the id before the client library does. */
function idOf({ params }: Request): string {
  const id = params.id.includes('%') ? decoded(params.id) : params.id;
  if (!CONNECTION_ID.test(id))
    throw new InvalidConnectionIdError('this cannot be the id of a connection: check the path');
  return id;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : NOTHING;
}
