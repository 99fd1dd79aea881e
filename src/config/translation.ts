import type { Environment } from './sources.js';
import type { Tree } from './tree.js';

/** A configuration in our names. */
export interface Translation {
  readonly file: Tree;
  /** What an operator should know: what has no counterpart, and what that means. */
  readonly notices: readonly string[];
  /** What a setting was called where it came from, by its dotted name. */
  readonly origins: ReadonlyMap<string, string>;
  /** What decides settings where nothing else does, by their dotted names. */
  readonly implied: Readonly<Record<string, string>>;
}

/** Rewrites what a configuration file holds (nothing, where there is none) and variables with names that are not ours. */
export type Translate = (file: Tree, variables: Environment) => Translation;
