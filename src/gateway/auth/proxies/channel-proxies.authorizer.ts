import type { ChannelRule, ChannelRules } from '../../../delivery/index.js';
import type { PublishAttempt, RpcAttempt, SubRefreshAttempt, SubscribeAttempt } from '../attempts.js';
import type { Authorizer } from '../authorizer.port.js';
import {
  abstained,
  refused,
  type Awaitable,
  type PublishDecision,
  type RpcDecision,
  type SubRefreshDecision,
  type SubscribeDecision,
} from '../decisions.js';
import type { Proxies } from './proxies.js';

interface MethodOptions {
  readonly proxyEnabled: boolean;
  readonly proxyName: string;
}

/** Lets backends decide about channels whose options leave it to them, and answer calls of methods. */
export class ChannelProxiesAuthorizer implements Authorizer {
  readonly #methods: ReadonlyMap<string, MethodOptions>;

  /** @throws ProxyNotConfiguredError */
  constructor(
    private readonly proxies: Proxies,
    private readonly rules: ChannelRules,
  ) {
    const { rpcWithoutNamespace, rpcNamespaces } = proxies.options;
    this.#methods = new Map([
      ['', rpcWithoutNamespace],
      ...rpcNamespaces.map((each) => [each.name, each] as const),
    ]);
    this.#requireAll();
  }

  subscribe(attempt: SubscribeAttempt): Awaitable<SubscribeDecision> {
    const { client, channel, rule, token, data, atConnect } = attempt;
    const { subscribeProxyEnabled, subscribeProxyName } = rule.options;
    if (!subscribeProxyEnabled) return abstained;
    // The backend can name the channels of a connection when it decides about its connect.
    if (atConnect)
      return refused('notAvailable', 'channels of a backend cannot be named in a connect command');
    const proxy = this.proxies.named('subscribe', subscribeProxyName);
    const request = { ...proxy.identity(attempt), channel, token, ...proxy.data(data) };
    return proxy.ask('subscribe', request, client);
  }

  publish(attempt: PublishAttempt): Awaitable<PublishDecision> {
    const { client, channel, rule, data } = attempt;
    const { publishProxyEnabled, publishProxyName } = rule.options;
    if (!publishProxyEnabled) return abstained;
    const proxy = this.proxies.named('publish', publishProxyName);
    return proxy.ask('publish', { ...proxy.identity(attempt), channel, ...proxy.data(data) }, client);
  }

  subRefresh(attempt: SubRefreshAttempt): Awaitable<SubRefreshDecision> {
    const { client, channel, token } = attempt;
    const rule = this.rules.find(channel);
    if (token !== '' || typeof rule === 'string' || !rule.options.subRefreshProxyEnabled) return abstained;
    const proxy = this.proxies.named('subRefresh', rule.options.subRefreshProxyName);
    return proxy.ask('subRefresh', { ...proxy.identity(attempt), channel }, client);
  }

  rpc(attempt: RpcAttempt): Awaitable<RpcDecision> {
    const { client, method, data } = attempt;
    const options = this.#methods.get(this.#namespaceOf(method));
    if (options === undefined) return abstained;
    if (!options.proxyEnabled) return refused('notAvailable');
    const proxy = this.proxies.named('rpc', options.proxyName);
    return proxy.ask('rpc', { ...proxy.identity(attempt), method, ...proxy.data(data) }, client);
  }

  #namespaceOf(method: string): string {
    const end = method.indexOf(this.proxies.options.rpcNamespaceBoundary);
    return end > 0 ? method.slice(0, end) : '';
  }

  /** So that a proxy that is missing is noticed at start-up, and not by a client. */
  #requireAll(): void {
    for (const { proxyEnabled, proxyName } of this.#methods.values())
      if (proxyEnabled) this.proxies.named('rpc', proxyName);
    for (const { options } of this.rules.all()) this.#require(options);
  }

  #require(options: ChannelRule['options']): void {
    if (options.subscribeProxyEnabled) this.proxies.named('subscribe', options.subscribeProxyName);
    if (options.publishProxyEnabled) this.proxies.named('publish', options.publishProxyName);
    if (options.subRefreshProxyEnabled) this.proxies.named('subRefresh', options.subRefreshProxyName);
  }
}
