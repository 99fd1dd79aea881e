import { Inject, Module } from '@nestjs/common';
import { HttpErrors, OpenApi } from '../http/index.js';
import { apiPaths } from './centrifugo-api/api.open-api.js';
import { ApiRoutes } from './centrifugo-api/api.routes.js';
import { ConnectionCommands } from './operations/connection-commands.js';
import { Methods } from './centrifugo-api/methods.js';
import { Publishing } from './operations/publishing.js';
import { Queries } from './operations/queries.js';
import { Replies } from './centrifugo-api/replies.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { ListRequests } from './list-requests.js';
import { Schedules } from './schedules/schedules.js';
import { SchedulesController } from './schedules/schedules.controller.js';
import { PushController } from './push/push.controller.js';
import { TriggerMetrics, triggerInstruments } from './trigger.metrics.js';
import { triggerErrorTable } from './trigger.errors.js';
import { ConfigurableModuleClass, TRIGGER_OPTIONS } from './trigger.module-definition.js';
import type { TriggerOptions } from './trigger.options.js';
import { triggerSchemas } from './trigger.schemas.js';
import { Trigger } from './push/trigger.js';

/** The request edge. It needs the modules HTTP, bus, lanes and delivery. */
@Module({
  controllers: [PushController, SchedulesController, DeadLettersController],
  providers: [
    Trigger,
    Schedules,
    ListRequests,
    TriggerMetrics,
    Publishing,
    ConnectionCommands,
    Queries,
    Methods,
    Replies,
    ApiRoutes,
    ...triggerInstruments,
  ],
  exports: [Trigger, Schedules, Publishing, ConnectionCommands, Queries],
})
export class TriggerModule extends ConfigurableModuleClass {
  constructor(
    errors: HttpErrors,
    openApi: OpenApi,
    methods: Methods,
    @Inject(TRIGGER_OPTIONS) { api }: TriggerOptions,
  ) {
    super();
    errors.register(triggerErrorTable);
    openApi.add({ schemas: triggerSchemas, ...(api.enabled ? { paths: apiPaths(methods) } : {}) });
  }
}
