import type { ChannelsOptions } from '../../../delivery/index.js';
import type { ProxiesOptions } from './proxies.options.js';

export interface MissingProxy {
  /** The setting that turns it on. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const channelSteps = ['subscribe', 'publish', 'subRefresh'] as const;

/** Returns the proxies that channels or methods use, but that are not configured. */
export function missingProxies(
  proxies: ProxiesOptions,
  { withoutNamespace, namespaces }: Pick<ChannelsOptions, 'withoutNamespace' | 'namespaces'>,
): MissingProxy[] {
  const missing: MissingProxy[] = [];
  const check = (
    step: (typeof channelSteps)[number] | 'rpc',
    name: string,
    path: MissingProxy['path'],
  ): void => {
    const isDefault = name === '' || name === 'default';
    if (isDefault ? proxies[step] !== undefined : proxies.named.some((each) => each.name === name)) return;
    const message = isDefault
      ? `needs gateway.client.proxies.${step}.endpoint`
      : `needs a proxy with the name ${name} in gateway.client.proxies.named`;
    missing.push({ path, message });
  };
  const spaces = [
    [withoutNamespace, ['withoutNamespace']] as const,
    ...namespaces.map((each, at) => [each, ['namespaces', at]] as const),
  ];
  for (const [options, path] of spaces)
    for (const step of channelSteps)
      if (options[`${step}ProxyEnabled`])
        check(step, options[`${step}ProxyName`], ['delivery', 'channels', ...path, `${step}ProxyEnabled`]);
  const methods = [
    [proxies.rpcWithoutNamespace, ['rpcWithoutNamespace']] as const,
    ...proxies.rpcNamespaces.map((each, at) => [each, ['rpcNamespaces', at]] as const),
  ];
  for (const [{ proxyEnabled, proxyName }, path] of methods)
    if (proxyEnabled) check('rpc', proxyName, ['gateway', 'client', 'proxies', ...path, 'proxyEnabled']);
  return missing;
}
