import { PathPattern } from '../../patterns/index.js';
import type { Protocol, ProtocolDefinition } from './protocol.js';

/** A protocol that this process serves. */
export interface ServedProtocol {
  readonly definition: ProtocolDefinition;
  readonly protocol: Protocol;
}

/** The protocol that serves a path, with the parameters of the path. */
export interface MatchedProtocol extends ServedProtocol {
  readonly params: Readonly<Record<string, string>>;
}

/** The protocols that this process serves. */
export class Protocols {
  readonly #literal = new Map<string, MatchedProtocol>();
  readonly #withParameters: { readonly pattern: PathPattern; readonly served: ServedProtocol }[] = [];

  constructor(private readonly served: readonly ServedProtocol[]) {
    for (const each of served)
      for (const path of each.definition.paths) {
        const pattern = new PathPattern(path);
        if (pattern.isLiteral) this.#literal.set(path, { ...each, params: {} });
        else this.#withParameters.push({ pattern, served: each });
      }
  }

  /** Finds the protocol that serves a path. A literal path wins over one with parameters. */
  match(path: string): MatchedProtocol | undefined {
    const literal = this.#literal.get(path);
    if (literal !== undefined) return literal;
    for (const { pattern, served } of this.#withParameters) {
      const params = pattern.match(path);
      if (params !== undefined) return { ...served, params };
    }
    return undefined;
  }

  /** The users of all protocols together. */
  countUsers(): number {
    return this.served.reduce((sum, { protocol }) => sum + (protocol.countUsers?.() ?? 0), 0);
  }
}
