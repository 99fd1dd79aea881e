import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ApiRoutes } from './centrifugo-api/api.routes.js';
import { ChannelQueries } from './operations/channel-queries.js';
import { ConnectionCommands } from './operations/connection-commands.js';
import { Methods } from './centrifugo-api/methods.js';
import { Publishing } from './operations/publishing.js';
import { Replies } from './centrifugo-api/replies.js';
import { Callers } from '../http/callers.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { HttpErrorFilter } from '../http/http-error.filter.js';
import { Schedules } from './schedules/schedules.js';
import { SchedulesController } from './schedules/schedules.controller.js';
import { TriggerController } from './push/trigger.controller.js';
import { TriggerMetrics, triggerInstruments } from './trigger.metrics.js';
import { ConfigurableModuleClass } from './trigger.module-definition.js';
import { Trigger } from './push/trigger.js';

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
