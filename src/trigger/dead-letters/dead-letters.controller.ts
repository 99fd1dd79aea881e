import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  deadLetterSummary,
  DeadLetters,
  type DeadLetterFilter,
  type DeadLetterSummary,
  type RetryRecord,
} from '../../bus/index.js';
import { isJson } from '../../json/index.js';
import {
  Callers,
  ConflictingParametersError,
  Costly,
  parametersOf,
  readCursor,
  readLimit,
  writeCursor,
  type Caller,
  type Query,
} from '../../http/index.js';
import {
  DescribeDeadLetter,
  DescribeDeadLetters,
  DescribeDrop,
  DescribeRedrive,
  DescribeRedriveAll,
} from './dead-letters.open-api.js';
import { withinAnswerTimeout } from '../answer-timeout.js';
import { UnknownDeadLetterError } from '../trigger.errors.js';
import { ListRequests, nameOf } from '../list-requests.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import type { DeadLetter, DeadLetterPage, Redriven } from './dead-letters.schemas.js';

type Request = FastifyRequest<{ Querystring: Query }>;

const MAX_REDRIVEN = 1000;

/** Dead letters: events that consumers failed to handle. They may belong to any user, so every call needs an API key. */
@Controller('dead-letters')
export class DeadLettersController {
  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly callers: Callers,
    private readonly lists: ListRequests,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {}

  @Get()
  @Costly()
  @DescribeDeadLetters()
  async list(
    @Req() request: Request,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeadLetterPage> {
    const caller = this.#admit(request);
    const parameters = parametersOf(request.query, ['group', 'topic', 'limit', 'cursor']);
    const cursor = parameters.get('cursor');
    const query = {
      ...filterOf(parameters),
      limit: readLimit(parameters.get('limit')),
      ...(cursor !== undefined ? { cursor: readCursor('dead-letters', cursor) } : {}),
    };
    await this.lists.admit(nameOf(caller), reply.raw);
    const page = await this.#within(() => this.deadLetters.list(query));
    return {
      deadLetters: page.records.map(toDeadLetter),
      ...(page.next !== undefined ? { next: writeCursor('dead-letters', page.next) } : {}),
    };
  }

  @Get(':id')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @DescribeDeadLetter()
  async find(@Param('id') id: string, @Req() request: Request): Promise<string> {
    this.#admit(request);
    parametersOf(request.query, []);
    const record = await this.#within(() => this.deadLetters.find(id));
    if (record === undefined) throw unknown();
    return toTextWithData(record);
  }

  @Post('redrive')
  @HttpCode(202)
  @DescribeRedriveAll()
  async redriveAll(@Req() request: Request): Promise<Redriven> {
    this.#admit(request);
    const parameters = parametersOf(request.query, ['group', 'topic', 'limit']);
    const filter = filterOf(parameters);
    if (filter.group === undefined && filter.topic === undefined)
      throw new ConflictingParametersError('group, topic or both are required');
    const limit = readLimit(parameters.get('limit'), MAX_REDRIVEN);
    return { redriven: await this.#within(() => this.deadLetters.redriveAll(filter, limit)) };
  }

  @Post(':id/redrive')
  @HttpCode(202)
  @DescribeRedrive()
  async redrive(@Param('id') id: string, @Req() request: Request): Promise<Redriven> {
    this.#admit(request);
    parametersOf(request.query, []);
    if (!(await this.#within(() => this.deadLetters.redrive(id)))) throw unknown();
    return { redriven: 1 };
  }

  @Delete(':id')
  @HttpCode(204)
  @DescribeDrop()
  async drop(@Param('id') id: string, @Req() request: Request): Promise<void> {
    this.#admit(request);
    parametersOf(request.query, []);
    if (!(await this.#within(() => this.deadLetters.drop(id)))) throw unknown();
  }

  #admit(request: Request): Caller {
    const caller = this.callers.admit(request.raw);
    this.callers.requireApiKey(caller);
    return caller;
  }

  #within<T>(call: () => Promise<T>): Promise<T> {
    return withinAnswerTimeout(this.options.answerTimeoutMs, call);
  }
}

function filterOf(parameters: ReadonlyMap<string, string>): DeadLetterFilter {
  const [group, topic] = [parameters.get('group'), parameters.get('topic')];
  return { ...(group !== undefined ? { group } : {}), ...(topic !== undefined ? { topic } : {}) };
}

function unknown(): UnknownDeadLetterError {
  return new UnknownDeadLetterError('no dead letter has this id: it may have been redriven or dropped');
}

function toDeadLetter(record: DeadLetterSummary): DeadLetter {
  const { id, group, event, driver, topic, partition, position, key, attempts, failure } = record;
  return {
    id,
    group,
    event,
    driver,
    topic,
    partition,
    position,
    ...(key !== undefined ? { key } : {}),
    attempts,
    reason: { code: failure?.code ?? '', message: failure?.message ?? '' },
    publishedAt: time(record.publishedAt),
    firstFailedAt: time(record.firstFailedAt ?? record.publishedAt),
    lastFailedAt: time(record.lastFailedAt ?? record.publishedAt),
  };
}

/** Joined as text, so that the data is returned byte for byte. */
function toTextWithData(record: RetryRecord): string {
  const fields = JSON.stringify({
    ...toDeadLetter(deadLetterSummary(record)),
    headers: record.headers,
  }).slice(0, -1);
  return isJson(record.value)
    ? `${fields},"data":${record.value.toString('utf8')}}`
    : `${fields},"base64":"${record.value.toString('base64')}"}`;
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
