import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Callers } from '../../../../http/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../../gateway.module-definition.js';
import { functionsSettings } from '../functions.options.js';
import { ForbiddenError } from './management.errors.js';
import { hasValidSignature, isSigned, readSignature, type ClaimedSignature } from './signature-v4.js';

const INVALID = 'the security token included in the request is invalid: there is no such access key';
const MISMATCH =
  'the request signature does not match: check the secret access key, and that no proxy changes the Host header or the path';

/** Decides who may call the management API: callers with an API key, or with the signature of an access key. */
@Injectable()
export class ManagementAccess {
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #maxClockSkewMs: number;

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    private readonly callers: Callers,
  ) {
    const { accessKeys, maxClockSkewMs } = functionsSettings.of(options).management;
    this.#secrets = new Map(accessKeys.map(({ id, secret }) => [id, secret]));
    this.#maxClockSkewMs = maxClockSkewMs;
  }

  /**
   * Refuses what can be refused before the body is read.
   * @throws ForbiddenError, UnauthorizedError, ApiKeyNotConfiguredError, RateLimitedError
   */
  admit(request: FastifyRequest): void {
    if (this.#usesSignature(request)) this.#claimOf(request);
    else this.callers.requireApiKey(this.callers.admit(request.raw));
  }

  /**
   * Verifies the signature, which covers the body.
   * @throws ForbiddenError, RateLimitedError
   */
  verify(request: FastifyRequest, body: Buffer): void {
    if (!this.#usesSignature(request)) return;
    const claimed = this.#claimOf(request);
    const { method, originalUrl: url, headers } = request;
    const signed = { method, url, headers };
    if (!hasValidSignature(signed, body, claimed, this.#secrets.get(claimed.accessKeyId) ?? ''))
      this.#refuse(request, MISMATCH);
  }

  #usesSignature({ headers }: FastifyRequest): boolean {
    return this.#secrets.size > 0 && isSigned(headers) && headers['x-api-key'] === undefined;
  }

  #claimOf(request: FastifyRequest): ClaimedSignature {
    const claimed = readSignature(request.headers);
    if (claimed === undefined)
      return this.#refuse(request, 'the Authorization header is not a signature for execute-api');
    if (Math.abs(Date.now() - claimed.signedAt) > this.#maxClockSkewMs)
      return this.#refuse(
        request,
        `signature expired or not yet current: x-amz-date may be ${this.#maxClockSkewMs} ms from the clock of the server`,
      );
    if (!this.#secrets.has(claimed.accessKeyId)) return this.#refuse(request, INVALID);
    return claimed;
  }

  /** Guesses are limited by address. */
  #refuse({ raw }: FastifyRequest, message: string): never {
    this.callers.hasValidKey(undefined, raw);
    throw new ForbiddenError(message);
  }
}
