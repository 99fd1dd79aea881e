import type { Environment } from './variables.js';
import type { Tree } from './tree.js';

/** A configuration of another product, translated to our settings. */
export interface Translation {
  readonly file: Tree;
  /** Messages for the operator, such as which options have no counterpart and what happens instead. */
  readonly notices: readonly string[];
  /** Those of the notices that are about something that does not work. */
  readonly errors?: readonly string[];
  /** Faults because of which the process cannot start. */
  readonly faults?: readonly string[];
  /** The original name of each translated setting, by its dotted name. */
  readonly origins: ReadonlyMap<string, string>;
  /** Values for settings that have no value otherwise, by their dotted names. */
  readonly implied: Readonly<Record<string, string>>;
}

/** Translates a configuration file (an empty tree without one) and the variables of another product. */
export type Translate = (file: Tree, variables: Environment) => Translation;
