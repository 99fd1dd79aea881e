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
