import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Config } from '../config/config.js';
import type { Loaded } from '../config/load.js';
import { HttpAdapter } from '../http/index.js';
import { Readiness } from '../metrics/index.js';
import { warningsOf } from '../process/start-up-warnings.js';

/** The injection token of the complete options. */
export const LOADED_OPTIONS = Symbol('LOADED_OPTIONS');

/** Reports Carillon as ready, and as stopping, together with the application. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Carillon');

  constructor(
    @Inject(LOADED_OPTIONS) private readonly loaded: Loaded<Config>,
    private readonly readiness: Readiness,
    private readonly host: HttpAdapterHost,
  ) {}

  onApplicationBootstrap(): void {
    const { config, notices, errors } = this.loaded;
    for (const error of errors) this.#logger.error(error);
    const warnings = notices.filter((notice) => !errors.includes(notice));
    for (const warning of [...warnings, ...warningsOf(config)]) this.#logger.warn(warning);
    this.#logger.log(`embedded, roles: ${config.server.roles.join(', ')}`);
    this.readiness.serving();
  }

  /** Nest calls it before the modules of Carillon stop, because this module imports them. */
  onModuleDestroy(): void {
    this.readiness.stopping();
    const { httpAdapter } = this.host;
    if (httpAdapter instanceof HttpAdapter) httpAdapter.stopping();
  }
}
