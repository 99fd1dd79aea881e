import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Patch, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ScheduledSummary } from '../../bus/index.js';
import type { ScheduledMessage } from '../../message/index.js';
import {
  Callers,
  Costly,
  jsonBytes,
  parametersOf,
  parseJson,
  writeCursor,
  type Caller,
  type Query,
} from '../../http/index.js';
import { channelOfCaller } from '../caller-channel.js';
import { DescribeCancel, DescribeFind, DescribeList, DescribeReschedule } from './schedules.open-api.js';
import { readReschedule, readScheduleQuery } from './schedule-parameters.js';
import { Schedules } from './schedules.js';
import { ListRequests, nameOf } from '../list-requests.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import type { Scheduled, SchedulePage } from './schedules.schemas.js';

type Request = FastifyRequest<{ Querystring: Query }>;

/** Scheduled messages. A caller without an API key sees only the messages to itself, as if there were no others. */
@Controller('schedules')
export class SchedulesController {
  constructor(
    private readonly schedules: Schedules,
    private readonly callers: Callers,
    private readonly lists: ListRequests,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {}

  @Get()
  @Costly()
  @DescribeList()
  async list(
    @Req() request: Request,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SchedulePage> {
    const caller = this.callers.admit(request.raw);
    const query = readScheduleQuery(request.query);
    if (query.channel !== undefined) this.callers.requireApiKey(caller);
    await this.lists.admit(nameOf(caller), reply.raw);
    const owner = ownerOf(caller);
    const page = await this.schedules.list({ ...query, ...(owner !== undefined ? { channel: owner } : {}) });
    return {
      schedules: page.messages.map(toScheduled),
      ...(page.next !== undefined ? { next: writeCursor('schedules', page.next) } : {}),
    };
  }

  @Get(':id')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @DescribeFind()
  async find(@Param('id') id: string, @Req() request: Request): Promise<string> {
    const caller = this.#admit(request);
    return toTextWithData(await this.schedules.find(id, ownerOf(caller)));
  }

  @Patch(':id')
  @DescribeReschedule()
  async reschedule(@Param('id') id: string, @Req() request: Request): Promise<Scheduled> {
    const caller = this.#admit(request);
    const body = parseJson(jsonBytes(request), this.options.maxJsonDepth);
    const timing = readReschedule(body, this.options.maxDelayMs);
    return toScheduled(await this.schedules.reschedule(id, timing, ownerOf(caller)));
  }

  @Delete(':id')
  @HttpCode(204)
  @DescribeCancel()
  async cancel(@Param('id') id: string, @Req() request: Request): Promise<void> {
    const caller = this.#admit(request);
    await this.schedules.cancel(id, ownerOf(caller));
  }

  #admit(request: Request): Caller {
    const caller = this.callers.admit(request.raw);
    parametersOf(request.query, []);
    return caller;
  }
}

function ownerOf(caller: Caller): string | undefined {
  return caller.apiKeyName !== undefined ? undefined : channelOfCaller(caller);
}

function toScheduled({ id, channel, createdAt, dueAt, expiresAt }: ScheduledSummary): Scheduled {
  return {
    id,
    channel,
    createdAt: new Date(createdAt).toISOString(),
    dueAt: new Date(dueAt).toISOString(),
    ...(expiresAt !== undefined ? { expiresAt: new Date(expiresAt).toISOString() } : {}),
  };
}

/** Joined as text, so that the data is returned byte for byte. */
function toTextWithData(message: ScheduledMessage): string {
  const fields = JSON.stringify(toScheduled(message)).slice(0, -1);
  return message.format === 'json'
    ? `${fields},"data":${message.data.toString('utf8')}}`
    : `${fields},"base64":"${message.data.toString('base64')}"}`;
}
