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

  methodsOf(path: string): string[] {
    for (const { pattern, methods } of this.#routes.values())
      if (pattern.match(path) !== undefined) return [...methods].toSorted();
    return [];
  }
}
