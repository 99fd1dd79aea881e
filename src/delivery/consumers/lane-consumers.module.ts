import {
  ConfigurableModuleBuilder,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InstantLane, Schedule } from '../../bus/index.js';
import { Readiness } from '../../metrics/index.js';
import { ChannelRules } from '../channels/channel-rules.js';
import { Delivery } from '../delivery.js';
import { LaneConsumers, type LaneConsumersOptions } from './lane-consumers.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<LaneConsumersOptions>(
  { moduleName: 'LaneConsumers' },
)
  .setClassMethodName('forRoot')
  .build();

/**
 * Delivers the due messages of both lanes. It needs the lanes module and the delivery module. It is a module of its own
 * because a process without it can still accept messages (the trigger role) or serve clients (the gateway role).
 */
@Module({
  providers: [
    {
      provide: LaneConsumers,
      useFactory: createLaneConsumers,
      inject: [InstantLane, Schedule, Delivery, ChannelRules, MODULE_OPTIONS_TOKEN, Readiness],
    },
  ],
})
export class LaneConsumersModule
  extends ConfigurableModuleClass
  implements OnApplicationBootstrap, OnModuleDestroy
{
  constructor(private readonly consumers: LaneConsumers) {
    super();
  }

  onApplicationBootstrap(): void {
    this.consumers.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.consumers.close();
  }
}

function createLaneConsumers(
  instant: InstantLane,
  schedule: Schedule,
  delivery: Delivery,
  rules: ChannelRules,
  options: LaneConsumersOptions,
  readiness: Readiness,
): LaneConsumers {
  return new LaneConsumers(instant, schedule, delivery, rules, options, readiness.broker('lane consumers'));
}
