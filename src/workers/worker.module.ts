import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Link } from '../ipc/index.js';
import { Exposition, Readiness } from '../metrics/index.js';
import { followBrokerStates } from './broker-states.js';
import { watchPrimary } from './primary-status.js';
import { CollectedExposition } from './worker-metrics.js';

const BROKER_STATES = Symbol('BROKER_STATES');
const PRIMARY_STATUS = Symbol('PRIMARY_STATUS');

/**
 * What makes a worker of the application: its link to the primary process, over which the modules reach the embedded stores.
 * Global, because they ask for it without knowing who gives it.
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
        { provide: Exposition, useFactory: () => new CollectedExposition(link) },
        {
          provide: BROKER_STATES,
          useFactory: (readiness: Readiness) => followBrokerStates(link, readiness),
          inject: [Readiness],
        },
        {
          provide: PRIMARY_STATUS,
          useFactory: (readiness: Readiness) => watchPrimary(link, readiness),
          inject: [Readiness],
        },
      ],
      exports: [Link, Exposition],
    };
  }
}
