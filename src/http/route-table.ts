/** Which methods a path answers to, so that a wrong one can be told from a wrong path. */
export class RouteTable {
  readonly #methodsByPattern = new Map<string, Set<string>>();

  /** @param pattern a path of literal segments and `:parameters`; others (`*`) answer to too much to say anything */
  add(pattern: string, methods: readonly string[]): void {
    if (pattern.includes('*')) return;
    const known = this.#methodsByPattern.get(pattern) ?? new Set();
    for (const method of methods) known.add(method);
    this.#methodsByPattern.set(pattern, known);
  }

  methodsOf(path: string): string[] {
    for (const [pattern, methods] of this.#methodsByPattern)
      if (fits(pattern.split('/'), path.split('/'))) return [...methods].toSorted();
    return [];
  }
}

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((segment, at) => (segment.startsWith(':') ? path[at] !== '' : segment === path[at]))
  );
}
