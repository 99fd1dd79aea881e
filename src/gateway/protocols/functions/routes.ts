import { Inject, Injectable } from '@nestjs/common';
import { PathPattern } from '../../../patterns/index.js';
import { Webhooks, type WebhookTarget } from '../../../webhooks/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../gateway.module-definition.js';
import { functionsSettings, type RouteOptions } from './functions.options.js';
import { HttpBackend } from './http-backend.js';
import type { Route } from './route.js';

/** The routes of the configuration. */
@Injectable()
export class Routes {
  readonly #byName: ReadonlyMap<string, Route>;
  readonly #patterns: readonly { readonly pattern: PathPattern; readonly route: Route }[];

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    private readonly webhooks: Webhooks,
  ) {
    const routes = Object.entries(functionsSettings.of(options).routes).map(([name, route]) =>
      this.#create(name, route),
    );
    this.#byName = new Map(routes.map((route) => [route.name, route]));
    this.#patterns = routes.map((route) => ({ pattern: new PathPattern(route.path), route }));
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  named(name: string): Route | undefined {
    return this.#byName.get(name);
  }

  /** Returns the route of a path that the gateway has matched: a literal one wins over one with parameters. */
  at(path: string): Route {
    const matching = this.#patterns.filter(({ pattern }) => pattern.match(path) !== undefined);
    const found = matching.find(({ pattern }) => pattern.isLiteral) ?? matching[0];
    if (found === undefined) throw new TypeError(`no route serves ${path}`);
    return found.route;
  }

  #create(name: string, options: RouteOptions): Route {
    const { path, maxPendingMessages, timeoutMs } = options;
    const targets = {
      register: this.#target(name, 'register', options),
      transport: this.#target(name, 'transport', options),
      cleanup: this.#target(name, 'cleanup', options),
    };
    const backend = new HttpBackend(targets, options);
    return { name, path, backend, maxPendingMessages, registerTimeoutMs: timeoutMs + 1_000 };
  }

  #target(route: string, step: 'register' | 'transport' | 'cleanup', options: RouteOptions): WebhookTarget {
    return this.webhooks.target({
      name: `${route} ${step}`,
      url: options[step],
      trust: 'configured',
      options,
    });
  }
}
