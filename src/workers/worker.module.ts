import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Link } from '../ipc/index.js';
import { Exposition, Readiness } from '../metrics/index.js';
import { followBrokerStates } from './broker-states.js';
import { watchPrimary } from './primary-liveness.js';
import { AggregatedExposition } from './worker-metrics.js';

const BROKER_STATES = Symbol('BROKER_STATES');
const PRIMARY_LIVENESS = Symbol('PRIMARY_LIVENESS');

/**
 * Turns the application into a worker: provides the link to the primary process, over which the modules reach the embedded stores.
 * It is global, because the modules inject the link without importing this module.
 */
@Global()
@Module({})
export class WorkerModule {
  static around(application: DynamicModule, link: Link): DynamicModule {
    return {
      module: WorkerModule,
      imports: [application],
      providers: [
        { provide: Link, useValue: link },
        { provide: Exposition, useFactory: () => new AggregatedExposition(link) },
        {
          provide: BROKER_STATES,
          useFactory: (readiness: Readiness) => followBrokerStates(link, readiness),
          inject: [Readiness],
        },
        {
          provide: PRIMARY_LIVENESS,
          useFactory: (readiness: Readiness) => watchPrimary(link, readiness),
          inject: [Readiness],
        },
      ],
      exports: [Link, Exposition],
    };
  }
}
