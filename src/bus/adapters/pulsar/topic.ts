import { RecordRefusedError } from '../../bus.errors.js';

/** A topic by its full name. */
export interface PulsarTopic {
  /** The name that the caller used. */
  readonly name: string;
  readonly tenant: string;
  readonly namespace: string;
  readonly localName: string;
}

/**
 * Completes the name of a topic: `orders` is in the tenant and namespace of the options, `persistent://t/n/orders` is
 * a full name already.
 *
 * @throws {RecordRefusedError} if it is not the name of a persistent topic
 */
export function topicOf(
  name: string,
  defaults: { readonly tenant: string; readonly namespace: string },
): PulsarTopic {
  if (!name.includes('://')) {
    return { name, tenant: defaults.tenant, namespace: defaults.namespace, localName: name };
  }
  const [, tenant, namespace, localName] = /^persistent:\/\/([^/]+)\/([^/]+)\/(.+)$/.exec(name) ?? [];
  if (!tenant || !namespace || !localName) {
    throw new RecordRefusedError(
      `${name} is not the name of a topic: expected persistent://tenant/namespace/topic`,
    );
  }
  return { name, tenant, namespace, localName };
}

export function topicUri({ tenant, namespace, localName }: PulsarTopic): string {
  return `persistent://${tenant}/${namespace}/${localName}`;
}
