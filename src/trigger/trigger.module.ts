import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Callers } from './callers.js';
import { HttpErrorFilter } from './http-error.filter.js';
import { Schedules } from './schedules.js';
import { SchedulesController } from './schedules.controller.js';
import { TriggerController } from './trigger.controller.js';
import { TriggerMetrics, triggerInstruments } from './trigger.metrics.js';
import { ConfigurableModuleClass } from './trigger.module-definition.js';
import { Trigger } from './trigger.js';

/** The request edge. The bus module, which is global, provides the lanes and the idempotency store. */
@Module({
  controllers: [TriggerController, SchedulesController],
  providers: [
    Trigger,
    Schedules,
    Callers,
    TriggerMetrics,
    ...triggerInstruments,
    { provide: APP_FILTER, useClass: HttpErrorFilter },
  ],
  exports: [Trigger],
})
export class TriggerModule extends ConfigurableModuleClass {}
