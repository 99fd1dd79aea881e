const EXPRESSION = /^\$(?:request\.body((?:\.[\w-]+)+)|\{request\.body((?:\.[\w-]+)+)\})$/;

/** Reads the key of a route from a message, such as the value of `action` for `$request.body.action`. */
export class RouteSelection {
  readonly #path: readonly string[];

  /** @param expression for which {@link isRouteSelection} is true */
  constructor(expression: string) {
    const [, plain, braced] = EXPRESSION.exec(expression) ?? [];
    this.#path = (plain ?? braced ?? '').split('.').slice(1);
  }

  /** Returns undefined if the message is not JSON or has no such value. */
  keyOf(message: string): string | undefined {
    let value = parsed(message);
    for (const name of this.#path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Readonly<Record<string, unknown>>)[name];
    }
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return typeof value === 'string' ? value : undefined;
  }
}

export function isRouteSelection(expression: string): boolean {
  return EXPRESSION.test(expression);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
