import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConnectionCalls, NodeSilentError, Registrations } from '../../../delivery/index.js';
import {
  Callers,
  jsonBytes,
  parametersOf,
  readCursor,
  readLimit,
  writeCursor,
  type Query,
} from '../../../http/index.js';
import { decodeContext } from './connection-details.js';
import { BackendFailedError } from './functions.errors.js';
import { readReversePush } from './gateway-events.js';
import { DescribeConnections, DescribeReversePush } from './reverse-push.open-api.js';
import { PushSecrets } from './push-secrets.js';

/** What a backend parses, whatever the status. */
interface PushAnswer {
  readonly errNo: number;
  readonly errMsg: string;
}

const answers = {
  pushed: [200, 'ok'],
  malformed: [
    400,
    'the body must be {"websocket": {"action": "data send" or "closing", "secConnectionID": …}}',
  ],
  unknownUrl: [404, 'there is no push URL with this route and secret'],
  gone: [410, 'there is no connection with this id'],
  silent: [
    503,
    'the node that holds the connection did not answer: it is not known whether the push arrived',
  ],
} as const;

/** Pushes from a backend to one connection, on whichever node it is, and the list of connections. */
@Controller()
export class ReversePushController {
  constructor(
    private readonly calls: ConnectionCalls,
    private readonly registrations: Registrations,
    private readonly secrets: PushSecrets,
    private readonly callers: Callers,
  ) {}

  @Post('push')
  @HttpCode(200)
  @DescribeReversePush()
  push(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<PushAnswer> {
    this.#requireKey(request);
    return this.#push(request, reply);
  }

  /** The URL is the credential, for functions that send none. */
  @Post('push/:route/:secret')
  @HttpCode(200)
  @ApiExcludeEndpoint()
  async pushWithSecret(
    @Param('route') route: string,
    @Param('secret') secret: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PushAnswer> {
    if (this.secrets.match(route, secret)) return this.#push(request, reply, route);
    this.callers.admit(request.raw); // guesses are limited by address
    return answer(reply, 'unknownUrl');
  }

  @Get('connections')
  @DescribeConnections()
  async list(@Req() request: FastifyRequest<{ Querystring: Query }>): Promise<object> {
    this.#requireKey(request);
    const parameters = parametersOf(request.query, ['route', 'limit', 'cursor']);
    const [route, cursor] = [parameters.get('route'), parameters.get('cursor')];
    const limit = readLimit(parameters.get('limit'));
    const ofRoute = route === undefined ? {} : { route };
    const after = cursor === undefined ? {} : { after: readCursor('connections', cursor) };
    const [total, found] = await Promise.all([
      this.registrations.count(route),
      this.registrations.list({ limit, ...ofRoute, ...after }),
    ]);
    const last = found.length === limit ? found.at(-1) : undefined;
    return {
      total,
      connections: found.map(({ id, route: of, node, connectedAt, details }) => {
        const { sourceIp, userAgent } = decodeContext(details);
        return { id, route: of, node, connectedAt: new Date(connectedAt).toISOString(), sourceIp, userAgent };
      }),
      ...(last && { next: writeCursor('connections', last.id) }),
    };
  }

  async #push(request: FastifyRequest, reply: FastifyReply, route?: string): Promise<PushAnswer> {
    const push = read(request);
    if (push === undefined) return answer(reply, 'malformed');
    try {
      // A secret is for one route.
      if (route !== undefined && (await this.registrations.find(push.id))?.route !== route)
        return answer(reply, 'gone');
      const isDone =
        push.action === 'closing'
          ? await this.calls.close(push.id)
          : await this.calls.send(push.id, push.data, push.isText);
      return answer(reply, isDone ? 'pushed' : 'gone');
    } catch (error) {
      if (error instanceof NodeSilentError) return answer(reply, 'silent');
      throw error;
    }
  }

  #requireKey(request: FastifyRequest): void {
    this.callers.requireApiKey(this.callers.admit(request.raw));
  }
}

function read(request: FastifyRequest): ReturnType<typeof readReversePush> {
  try {
    return readReversePush(jsonBytes(request));
  } catch (error) {
    if (error instanceof BackendFailedError) return undefined;
    throw error;
  }
}

function answer(reply: FastifyReply, what: keyof typeof answers): PushAnswer {
  const [status, errMsg] = answers[what];
  void reply.code(status);
  return { errNo: status === 200 ? 0 : status, errMsg };
}
