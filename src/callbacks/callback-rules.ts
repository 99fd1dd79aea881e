import type { ChannelFault, ChannelRule, ChannelRules } from '../delivery/index.js';

/**
 * The rules of channels, for decisions about a client of another server. There, a namespace names a proxy; this server is that
 * proxy, so that its own rules decide.
 */
export class CallbackRules {
  readonly #withoutProxy = new WeakMap<ChannelRule, ChannelRule>();

  constructor(private readonly rules: ChannelRules) {}

  find(channel: string): ChannelRule | ChannelFault {
    const rule = this.rules.findForClient(channel);
    return typeof rule === 'string' ? rule : this.#decided(rule);
  }

  #decided(rule: ChannelRule): ChannelRule {
    if (!rule.options.subscribeProxyEnabled && !rule.options.publishProxyEnabled) return rule;
    const known = this.#withoutProxy.get(rule);
    if (known !== undefined) return known;
    const options = { ...rule.options, subscribeProxyEnabled: false, publishProxyEnabled: false };
    const decided = { ...rule, options };
    this.#withoutProxy.set(rule, decided);
    return decided;
  }
}
