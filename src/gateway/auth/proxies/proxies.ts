import type { Webhooks } from '../../../webhooks/index.js';
import type { Step } from '../attempts.js';
import { HttpBackend } from './http.backend.js';
import { Proxy } from './proxy.js';
import { ProxyNotConfiguredError } from './proxy.errors.js';
import type { ProxiesOptions, ProxyOptions } from './proxies.options.js';

const DEFAULT = 'default';

/** The proxies of the configuration. Each one has a target of its own for each step that it is used for. */
export class Proxies {
  readonly #proxies = new Map<string, Proxy>();

  constructor(
    readonly options: ProxiesOptions,
    private readonly webhooks: Webhooks,
  ) {}

  /** Whether there is a proxy. Every one that is in use has been created then, at start-up. */
  get areUsed(): boolean {
    return this.#proxies.size > 0;
  }

  /** Returns the proxy of a step that has no names. */
  only(step: 'connect' | 'refresh'): Proxy | undefined {
    const options = this.options[step];
    return options && this.#get(step, DEFAULT, options);
  }

  /** @throws ProxyNotConfiguredError */
  named(step: Exclude<Step, 'connect' | 'refresh'>, name: string): Proxy {
    const isDefault = name === '' || name === DEFAULT;
    const known = this.#proxies.get(labelOf(step, isDefault ? DEFAULT : name));
    if (known !== undefined) return known;
    const options = isDefault ? this.options[step] : this.options.named.find((each) => each.name === name);
    if (options === undefined)
      throw new ProxyNotConfiguredError(
        isDefault
          ? `the proxy ${step} is in use, but not configured: set gateway.client.proxies.${step}.endpoint`
          : `the proxy ${name} is in use, but not configured: add it to gateway.client.proxies.named`,
      );
    return this.#get(step, isDefault ? DEFAULT : name, options);
  }

  #get(step: Step, name: string, options: ProxyOptions): Proxy {
    const label = labelOf(step, name);
    const known = this.#proxies.get(label);
    if (known !== undefined) return known;
    const created = new Proxy(label, options, this.#backend(label, options));
    this.#proxies.set(label, created);
    return created;
  }

  #backend(name: string, options: ProxyOptions): HttpBackend {
    const target = this.webhooks.target({ name, url: options.endpoint, trust: 'configured', options });
    return new HttpBackend(target, options);
  }
}

function labelOf(step: Step, name: string): string {
  return name === DEFAULT ? step : `${step}:${name}`;
}
