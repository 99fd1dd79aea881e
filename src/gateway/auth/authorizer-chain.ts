import { withDeadline } from '../../async/index.js';
import { CarillonError } from '../../errors.js';
import type { ApplicationAuthorizers } from './application-authorizers.js';
import type { Attempts, Step } from './attempts.js';
import type { Authorizer } from './authorizer.port.js';
import { abstained, type Awaitable, type DecisionOf } from './decisions.js';
import type { ObserveRefusal } from './refused-attempts.js';

/** An authorizer of the application has not decided in time. */
export class AuthorizerTimeoutError extends CarillonError {
  readonly code = 'authorizer_timeout';
  override readonly retryable = true;
}

interface Link {
  readonly authorizer: Authorizer;
  /** How long it may take, in ms. Absent for the authorizers of this server, which bound their own calls. */
  readonly timeoutMs?: number;
}

/** Asks several authorizers in turn: the first that does not abstain decides. */
export class AuthorizerChain implements Required<Authorizer> {
  constructor(
    private readonly links: readonly Link[],
    private readonly observe?: ObserveRefusal,
  ) {}

  /**
   * @param defaults what decides if the application has no authorizer, or all of its authorizers abstain
   * @param timeoutMs how long an authorizer of the application may take
   */
  static compose(
    { authorizers, replaceDefault }: ApplicationAuthorizers,
    defaults: readonly Authorizer[],
    timeoutMs: number,
    observe?: ObserveRefusal,
  ): AuthorizerChain {
    const links = [
      ...authorizers.map((authorizer) => ({ authorizer, timeoutMs })),
      ...(replaceDefault ? [] : defaults).map((authorizer) => ({ authorizer })),
    ];
    return new AuthorizerChain(links, observe);
  }

  connect(attempt: Attempts['connect']): Awaitable<DecisionOf<'connect'>> {
    return this.#ask('connect', attempt);
  }

  refresh(attempt: Attempts['refresh']): Awaitable<DecisionOf<'refresh'>> {
    return this.#ask('refresh', attempt);
  }

  subscribe(attempt: Attempts['subscribe']): Awaitable<DecisionOf<'subscribe'>> {
    return this.#ask('subscribe', attempt);
  }

  subRefresh(attempt: Attempts['subRefresh']): Awaitable<DecisionOf<'subRefresh'>> {
    return this.#ask('subRefresh', attempt);
  }

  publish(attempt: Attempts['publish']): Awaitable<DecisionOf<'publish'>> {
    return this.#ask('publish', attempt);
  }

  rpc(attempt: Attempts['rpc']): Awaitable<DecisionOf<'rpc'>> {
    return this.#ask('rpc', attempt);
  }

  /** Asks about an attempt whose step is known only at run time. */
  ask<S extends Step>(step: S, attempt: Attempts[S]): Awaitable<DecisionOf<S>> {
    return this.#ask(step, attempt);
  }

  #ask<S extends Step>(step: S, attempt: Attempts[S], from = 0): Awaitable<DecisionOf<S>> {
    for (let at = from; at < this.links.length; at++) {
      const decision = decide(this.links[at]!, step, attempt);
      if (!('outcome' in decision)) return decision.then((each) => this.#orNext(each, step, attempt, at + 1));
      if (decision.outcome !== 'abstained') return this.#observed(decision, step, attempt);
    }
    return abstained;
  }

  #orNext<S extends Step>(
    decision: DecisionOf<S>,
    step: S,
    attempt: Attempts[S],
    next: number,
  ): Awaitable<DecisionOf<S>> {
    return decision.outcome === 'abstained'
      ? this.#ask(step, attempt, next)
      : this.#observed(decision, step, attempt);
  }

  #observed<S extends Step>(decision: DecisionOf<S>, step: S, attempt: Attempts[S]): DecisionOf<S> {
    if (decision.outcome !== 'allowed' && decision.outcome !== 'abstained')
      this.observe?.(step, decision, 'token' in attempt && attempt.token !== '');
    return decision;
  }
}

function decide<S extends Step>(
  { authorizer, timeoutMs }: Link,
  step: S,
  attempt: Attempts[S],
): Awaitable<DecisionOf<S>> {
  const method = authorizer[step] as ((attempt: Attempts[S]) => Awaitable<DecisionOf<S>>) | undefined;
  if (method === undefined) return abstained;
  const decision = method.call(authorizer, attempt);
  if (timeoutMs === undefined || 'outcome' in decision) return decision;
  const onLate = () =>
    new AuthorizerTimeoutError(
      `${authorizer.constructor.name} has not decided about ${step} within ${timeoutMs} ms`,
    );
  return withDeadline(timeoutMs, onLate, async () => decision);
}
