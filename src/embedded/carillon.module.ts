import { Module, type DynamicModule } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import type { AuthorizerExtensions } from '../gateway/index.js';
import { Carillon } from './carillon.js';
import { completeOptions, type CarillonOptions } from './embedded.options.js';
import { Lifecycle, LOADED_OPTIONS } from './lifecycle.js';

/** What the application adds to Carillon. */
export interface CarillonExtensions extends AuthorizerExtensions {
  /** Whether {@link Carillon} can be injected in every module of the application. Default: true. */
  readonly isGlobal?: boolean;
}

/**
 * The server inside another Nest application, on its HTTP server, which {@link createHttpAdapter} creates. `server.roles` chooses
 * its parts. It is ready when the application has started, and stops when the application closes.
 */
@Module({})
export class CarillonModule {
  /** @throws ConfigError with all faults of the options */
  static forRoot(options: CarillonOptions = {}, extensions: CarillonExtensions = {}): DynamicModule {
    const loaded = completeOptions(options);
    const { isGlobal = true, ...authorizers } = extensions;
    return {
      module: CarillonModule,
      global: isGlobal,
      imports: [AppModule.forRoot(loaded.config, { ...authorizers, isEmbedded: true })],
      providers: [{ provide: LOADED_OPTIONS, useValue: loaded }, Lifecycle, Carillon],
      exports: [Carillon],
    };
  }
}
