export type { WebhookResponse } from './call.js';
export type { RequestHeaders, TargetDefinition, WebhookTarget } from './target.js';
export { WebhookError, type CallResult } from './webhooks.errors.js';
export { Webhooks } from './webhooks.js';
export { WebhooksModule } from './webhooks.module.js';
export {
  targetShape,
  webhooksOptions,
  type TargetOptions,
  type WebhooksOptions,
} from './webhooks.options.js';
