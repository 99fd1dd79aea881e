const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * A URL path in which segments may be parameters: `/t/:room` matches `/t/a`, and `room` is `a`. A parameter is one
 * whole segment and is not empty; its value is decoded from percent-encoding.
 */
export class PathPattern {
  readonly #segments: readonly string[];

  constructor(readonly text: string) {
    this.#segments = text.split('/');
  }

  /** Whether only one path matches: the text itself. */
  get isLiteral(): boolean {
    return !this.#segments.some(isParameter);
  }

  /** Returns the parameters by their names; undefined if the path, which has no query, does not match. */
  match(path: string): Readonly<Record<string, string>> | undefined {
    if (this.isLiteral) return path === this.text ? NO_PARAMETERS : undefined;
    const values = path.split('/');
    if (values.length !== this.#segments.length) return undefined;
    const parameters: Record<string, string> = {};
    for (const [at, segment] of this.#segments.entries()) {
      const value = values[at] ?? '';
      if (!isParameter(segment)) {
        if (value !== segment) return undefined;
        continue;
      }
      const decoded = decode(value);
      if (!decoded) return undefined;
      parameters[segment.slice(1)] = decoded;
    }
    return parameters;
  }
}

function isParameter(segment: string): boolean {
  return segment.startsWith(':');
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
