import { PathPattern } from '../patterns/index.js';

/** The methods that each path supports, which distinguishes a wrong method (405) from a wrong path (404). */
export class RouteTable {
  readonly #routes = new Map<string, { readonly pattern: PathPattern; readonly methods: Set<string> }>();

  /** @param pattern a path of literal segments and `:parameters`. Patterns with `*` are left out: they match too much. */
  add(pattern: string, methods: readonly string[]): void {
    if (pattern.includes('*')) return;
    const route = this.#routes.get(pattern) ?? { pattern: new PathPattern(pattern), methods: new Set() };
    for (const method of methods) route.methods.add(method);
    this.#routes.set(pattern, route);
  }

  /** A path that is itself a pattern has the methods of that one, although a parameter of another would match it too. */
  methodsOf(path: string): string[] {
    const exact = this.#routes.get(path);
    if (exact !== undefined) return [...exact.methods].toSorted();
    for (const { pattern, methods } of this.#routes.values())
      if (pattern.match(path) !== undefined) return [...methods].toSorted();
    return [];
  }
}
