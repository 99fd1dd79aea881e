import { Controller, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HeaderForwarding, type Step } from '../gateway/index.js';
import { Callers, jsonBytes, requireJson } from '../http/index.js';
import { MAX_MESSAGE_DEPTH } from '../schema/index.js';
import { CallbackService } from './callback-service.js';
import { CALLBACKS_OPTIONS, type CallbacksModuleOptions } from './callbacks.module-definition.js';
import { Callback } from './callbacks.open-api.js';

/** The endpoints of Centrifugo's proxies. A body is a request of its proxy protocol, and so is the answer. */
@Controller('centrifugo')
export class CallbacksController {
  readonly #forwarding: HeaderForwarding;

  constructor(
    private readonly service: CallbackService,
    private readonly callers: Callers,
    @Inject(CALLBACKS_OPTIONS) private readonly options: CallbacksModuleOptions,
  ) {
    // The HTTP server has a limit for all headers of a request.
    this.#forwarding = new HeaderForwarding(options.forwardedHeaders, Infinity);
  }

  @Callback('connect', 'A client connects without a token for the Centrifugo.')
  connect(@Req() request: FastifyRequest): Promise<string> {
    return this.#answer('connect', request);
  }

  @Callback('refresh', 'The connection of a client expires.')
  refresh(@Req() request: FastifyRequest): Promise<string> {
    return this.#answer('refresh', request);
  }

  @Callback('subscribe', 'A client subscribes to a channel.')
  subscribe(@Req() request: FastifyRequest): Promise<string> {
    return this.#answer('subscribe', request);
  }

  @Callback('sub_refresh', 'The subscription of a client expires.')
  subRefresh(@Req() request: FastifyRequest): Promise<string> {
    return this.#answer('subRefresh', request);
  }

  @Callback('publish', 'A client publishes to a channel.')
  publish(@Req() request: FastifyRequest): Promise<string> {
    return this.#answer('publish', request);
  }

  @Callback('rpc', 'A client calls a method.')
  rpc(@Req() request: FastifyRequest): Promise<string> {
    return this.#answer('rpc', request);
  }

  #answer(step: Step, request: FastifyRequest): Promise<string> {
    const caller = this.callers.admit(request.raw);
    // Browsers send Origin: no web page may use what is open on its own machine.
    if (!this.options.insecure || request.headers.origin !== undefined) this.callers.requireApiKey(caller);
    const body = jsonBytes(request);
    requireJson(body, MAX_MESSAGE_DEPTH);
    const { address, userAgent } = caller.identity;
    const headers = this.#forwarding.of(request.headers) ?? {};
    return this.service.answer(step, body, { address, userAgent, headers });
  }
}
