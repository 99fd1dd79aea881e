export type { PushRequest } from './push/push-request.js';
export type { Timing } from './push/timing.js';
export { Trigger, type Copy, type Pushed } from './push/trigger.js';
export { TriggerModule } from './trigger.module.js';
export { triggerOptions, type TriggerOptions } from './trigger.options.js';
