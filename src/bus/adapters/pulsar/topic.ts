import { RecordRefusedError } from '../../bus.errors.js';

/** A topic by its full name. */
export interface PulsarTopic {
  /** As the caller named it. */
  readonly name: string;
  readonly tenant: string;
  readonly namespace: string;
  readonly localName: string;
}

/**
 * Completes a topic's name: `orders` lies in the tenant and namespace of the options, `persistent://t/n/orders` says so itself.
 *
 * @throws {RecordRefusedError} it is no name of a persistent topic
 */
export function topicOf(
  name: string,
  home: { readonly tenant: string; readonly namespace: string },
): PulsarTopic {
  if (!name.includes('://')) return { name, tenant: home.tenant, namespace: home.namespace, localName: name };
  const [, tenant, namespace, localName] = /^persistent:\/\/([^/]+)\/([^/]+)\/(.+)$/.exec(name) ?? [];
  if (!tenant || !namespace || !localName) {
    throw new RecordRefusedError(
      `${name} does not name a topic: expected persistent://tenant/namespace/topic`,
    );
  }
  return { name, tenant, namespace, localName };
}

export function topicUri({ tenant, namespace, localName }: PulsarTopic): string {
  return `persistent://${tenant}/${namespace}/${localName}`;
}
