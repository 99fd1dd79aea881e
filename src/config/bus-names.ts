import { translateOriginalNames } from '../bus/index.js';
import type { Normalized } from './load.js';
import { isTree, type Tree } from './tree.js';

/** Accepts the names of the original message bus in the section `bus`. */
export function translateBusNames(tree: Tree): Normalized {
  if (!isTree(tree['bus'])) return { tree, notices: [] };
  const { options, renamed } = translateOriginalNames(tree['bus']);
  const notices = renamed.map(
    ([former, present]) => `bus.${former} is called bus.${present} here: both names are accepted`,
  );
  return { tree: { ...tree, bus: options }, notices };
}
