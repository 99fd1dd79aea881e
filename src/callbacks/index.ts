export { CallbacksModule } from './callbacks.module.js';
export { callbacksOptions, type CallbacksOptions } from './callbacks.options.js';
