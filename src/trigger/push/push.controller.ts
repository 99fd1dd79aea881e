import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptsData, ChannelRules } from '../../delivery/index.js';
import { Callers, jsonBytes, networkOf, requireJson, type Query } from '../../http/index.js';
import { InvalidPayloadError } from '../operations/operations.errors.js';
import { readIdempotencyKey } from './idempotency-key.js';
import { channelOfCaller } from '../caller-channel.js';
import { DescribePush } from './push.open-api.js';
import { readPushParameters } from './push-parameters.js';
import type { PushRequest } from './push-request.js';
import { readTraceparent } from '../../message/index.js';
import { Trigger, type PushResult } from './trigger.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import type { PushResponse } from './push.schemas.js';

@Controller('trigger')
export class PushController {
  constructor(
    private readonly trigger: Trigger,
    private readonly callers: Callers,
    private readonly rules: ChannelRules,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {}

  @Post()
  @HttpCode(202)
  @DescribePush()
  async push(
    @Req() request: FastifyRequest<{ Querystring: Query }>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PushResponse> {
    const push = this.#read(request);
    const pushed = await this.trigger.push(push);
    if (pushed.replayed) void reply.header('Idempotency-Replayed', 'true');
    return toResponse(push.channel, pushed);
  }

  #read(request: FastifyRequest<{ Querystring: Query }>): PushRequest {
    const caller = this.callers.admit(request.raw);
    const parameters = readPushParameters(request.query, this.options);
    if (parameters.channel !== undefined) this.callers.requireApiKey(caller);
    const channel = parameters.channel ?? channelOfCaller(caller);
    const { maxKeyLength } = this.options.idempotency;
    const scope = caller.apiKeyName ?? channel;
    const idempotencyKey = readIdempotencyKey(request.headers['idempotency-key'], scope, maxKeyLength);
    const traceparent = readTraceparent(request.headers['traceparent']);
    const data = jsonBytes(request);
    requireJson(data, this.options.maxJsonDepth);
    const dataFormat = this.rules.dataFormatOf(channel);
    if (!acceptsData(dataFormat, data)) throw new InvalidPayloadError(channel, dataFormat);
    return {
      ...parameters,
      channel,
      ...(caller.apiKeyName === undefined ? { owner: networkOf(caller.identity.address) } : {}),
      data,
      format: 'json',
      ...(idempotencyKey !== undefined ? { idempotencyKey } : {}),
      ...(traceparent !== undefined ? { traceparent } : {}),
    };
  }
}

function toResponse(channel: string, { copies }: PushResult): PushResponse {
  return {
    channel,
    messages: copies.map(({ id, lane, dueAt }) => ({ id, lane, dueAt: new Date(dueAt).toISOString() })),
  };
}
