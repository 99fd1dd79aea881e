export { ConnectionCommands } from './operations/connection-commands.js';
export { Publishing, type Draft, type PublishResult, type Route } from './operations/publishing.js';
export { Queries } from './operations/queries.js';
export type { PushRequest } from './push/push-request.js';
export type { Timing } from './push/timing.js';
export { Trigger, type Copy, type PushResult } from './push/trigger.js';
export { Schedules } from './schedules/schedules.js';
export { TriggerModule } from './trigger.module.js';
export { triggerOptions, type TriggerOptions } from './trigger.options.js';
