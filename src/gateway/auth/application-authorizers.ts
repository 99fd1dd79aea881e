import type { FactoryProvider, InjectionToken, ModuleMetadata } from '@nestjs/common';
import type { Authorizer } from './authorizer.port.js';

/** Injection token of {@link ApplicationAuthorizers}. */
export const APPLICATION_AUTHORIZERS = Symbol('APPLICATION_AUTHORIZERS');

/** The authorizers of the embedding application. */
export interface ApplicationAuthorizers {
  /** In the order in which they decide. */
  readonly authorizers: readonly Authorizer[];
  /** Whether they stand in for the default authorizers instead of preceding them. */
  readonly replaceDefault: boolean;
}

/** How an application adds its authorizers to a module. */
export interface AuthorizerExtensions {
  /** Modules that export the providers of {@link authorizers}. */
  readonly imports?: ModuleMetadata['imports'];
  /** Injection tokens of {@link Authorizer} providers, which decide before the default ones, in this order. */
  readonly authorizers?: readonly InjectionToken<Authorizer>[];
  /** Whether they replace the default authorizers, which decide by tokens and channel options. */
  readonly replaceDefaultAuthorizers?: boolean;
}

export function applicationAuthorizersProvider({
  authorizers = [],
  replaceDefaultAuthorizers: replaceDefault = false,
}: AuthorizerExtensions): FactoryProvider<ApplicationAuthorizers> {
  return {
    provide: APPLICATION_AUTHORIZERS,
    inject: [...authorizers],
    useFactory: (...found: Authorizer[]) => ({ authorizers: found, replaceDefault }),
  };
}
