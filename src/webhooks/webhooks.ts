import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { AddressGuard } from './address-guard.js';
import { OutgoingConnections } from './connections.js';
import { WebhookTarget, type TargetDefinition } from './target.js';
import { WebhooksMetrics } from './webhooks.metrics.js';
import { WEBHOOKS_OPTIONS } from './webhooks.module-definition.js';
import type { WebhooksOptions } from './webhooks.options.js';

/** Creates the targets that this process calls, and closes them at shutdown. */
@Injectable()
export class Webhooks implements OnModuleDestroy {
  readonly #connections: OutgoingConnections;
  readonly #targets: WebhookTarget[] = [];

  constructor(
    @Inject(WEBHOOKS_OPTIONS) private readonly options: WebhooksOptions,
    private readonly metrics: WebhooksMetrics,
  ) {
    const guard = new AddressGuard(options.addresses);
    this.#connections = new OutgoingConnections(guard, options.maxConnections, (change) =>
      metrics.connected(change),
    );
  }

  /**
   * Called at start-up, once for each target.
   * @throws PemUnreadableError
   */
  target(definition: TargetDefinition): WebhookTarget {
    const { options } = this;
    const metrics = this.metrics.of(definition.name);
    const target = new WebhookTarget(definition, { options, metrics, connections: this.#connections });
    this.#targets.push(target);
    return target;
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#targets.map((target) => target.close()));
  }
}
