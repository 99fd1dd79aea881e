import { Inject, Injectable } from '@nestjs/common';
import { PathPattern } from '../../../patterns/index.js';
import { Webhooks, type TargetOptions, type WebhookTarget } from '../../../webhooks/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../gateway.module-definition.js';
import { functionsSettings, type AnyRouteOptions, type RouteOptions } from './functions.options.js';
import { AwsAuthorizer } from './aws/aws-authorizer.js';
import { AwsBackend } from './aws/aws-backend.js';
import type { AwsRouteOptions } from './aws/aws.options.js';
import { HttpBackend } from './http-backend.js';
import type { Route } from './route.js';

/** The time-out of a call comes first. */
const SLACK_MS = 1_000;

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

  #create(name: string, options: AnyRouteOptions): Route {
    return options.shape === 'aws' ? this.#createAws(name, options) : this.#createFunctions(name, options);
  }

  #createFunctions(name: string, options: RouteOptions): Route {
    const { path, maxPendingMessages, timeoutMs } = options;
    const targets = {
      register: this.#target(`${name} register`, options.register, options),
      transport: this.#target(`${name} transport`, options.transport, options),
      cleanup: this.#target(`${name} cleanup`, options.cleanup, options),
    };
    const backend = new HttpBackend(targets, options);
    const registerTimeoutMs = timeoutMs + SLACK_MS;
    return { name, path, backend, maxPendingMessages, registerTimeoutMs, pushesWhileRegistering: true };
  }

  #createAws(name: string, options: AwsRouteOptions): Route {
    const { path, maxPendingMessages, timeoutMs, authorizer } = options;
    const integrations = Object.entries(options.integrations).map(
      ([key, url]) => [key, this.#target(`${name} ${key}`, url, options)] as const,
    );
    const asked =
      authorizer?.url === undefined ? undefined : this.#target(`${name} authorizer`, authorizer.url, options);
    return {
      name,
      path,
      backend: new AwsBackend(
        new Map(integrations),
        authorizer && new AwsAuthorizer(asked, options),
        options,
      ),
      maxPendingMessages,
      // First the authorizer, then the function.
      registerTimeoutMs: 2 * timeoutMs + SLACK_MS,
      pushesWhileRegistering: false,
      failureStatus: 500,
      limits: options,
    };
  }

  #target(name: string, url: string, options: TargetOptions): WebhookTarget {
    return this.webhooks.target({ name, url, trust: 'configured', options });
  }
}
