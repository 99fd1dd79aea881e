import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ApiRoutes } from './api/api.routes.js';
import { ChannelQueries } from './api/channel-queries.js';
import { ConnectionCommands } from './api/connection-commands.js';
import { Methods } from './api/methods.js';
import { Publishing } from './api/publishing.js';
import { Replies } from './api/replies.js';
import { Callers } from './callers.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { HttpErrorFilter } from './http-error.filter.js';
import { Schedules } from './schedules.js';
import { SchedulesController } from './schedules.controller.js';
import { TriggerController } from './trigger.controller.js';
import { TriggerMetrics, triggerInstruments } from './trigger.metrics.js';
import { ConfigurableModuleClass } from './trigger.module-definition.js';
import { Trigger } from './trigger.js';

/** The request edge. The bus module and the delivery module are global: they provide the lanes, the idempotency store and the way out. */
@Module({
  controllers: [TriggerController, SchedulesController, DeadLettersController],
  providers: [
    Trigger,
    Schedules,
    Callers,
    TriggerMetrics,
    Publishing,
    ConnectionCommands,
    ChannelQueries,
    Methods,
    Replies,
    ApiRoutes,
    ...triggerInstruments,
    { provide: APP_FILTER, useClass: HttpErrorFilter },
  ],
  exports: [Trigger],
})
export class TriggerModule extends ConfigurableModuleClass {}
