export { HttpAdapter } from './http-adapter.js';
export { setUpOpenApi } from './open-api.js';
export type { PushRequest } from './push-request.js';
export type { Timing } from './timing.js';
export { Trigger, type Copy, type Pushed } from './trigger.js';
export { TriggerModule } from './trigger.module.js';
export type { TriggerModuleOptions } from './trigger.module-definition.js';
export { httpOptions, triggerOptions, type HttpOptions, type TriggerOptions } from './trigger.options.js';
