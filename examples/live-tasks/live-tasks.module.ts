import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule, type BusOptionsInput } from 'carillon/bus';
import { DailyTask, Rewards } from './daily-task.js';
import { TaskProgress } from './task-progress.js';

@Module({})
export class LiveTasksModule {
  static forRoot(bus: BusOptionsInput, rewards: Rewards): DynamicModule {
    return {
      module: LiveTasksModule,
      imports: [BusModule.forRoot(bus)],
      providers: [DailyTask, TaskProgress, { provide: Rewards, useValue: rewards }],
    };
  }
}
