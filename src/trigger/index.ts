export { HttpAdapter } from '../http/http-adapter.js';
export { setUpOpenApi } from '../http/open-api.js';
export type { PushRequest } from './push/push-request.js';
export type { Timing } from './push/timing.js';
export { Trigger, type Copy, type Pushed } from './push/trigger.js';
export { TriggerModule } from './trigger.module.js';
export type { TriggerModuleOptions } from './trigger.module-definition.js';
export { httpOptions, triggerOptions, type HttpOptions, type TriggerOptions } from './trigger.options.js';
