import { Module } from '@nestjs/common';
import { Webhooks } from './webhooks.js';
import { WebhooksMetrics, webhooksInstruments } from './webhooks.metrics.js';
import { ConfigurableWebhooksModule } from './webhooks.module-definition.js';

/** Calls out to the backends of the operator. */
@Module({
  providers: [Webhooks, WebhooksMetrics, ...webhooksInstruments],
  exports: [Webhooks],
})
export class WebhooksModule extends ConfigurableWebhooksModule {}
