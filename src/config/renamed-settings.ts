import { variableOf, type Setting } from './settings.js';
import { isTree, merge, removeAt, setAt, valueAt, type Tree } from './tree.js';

/** The present dotted name of each setting or section that was renamed, by its former name. */
export type RenamedSettings = Readonly<Record<string, string>>;

/**
 * Former names that still work in files, variables and flags. Each use is reported with the present name. Where both names are
 * given in one place, the present name wins.
 *
 * An entry for a section renames every setting of it.
 */
export const renamedSettings: RenamedSettings = {
  'bus.parked': 'bus.retries',
};

export interface FormerName {
  readonly key: string;
  readonly variable: string;
}

/** The former names of one setting. */
export function formerNamesOf({ key }: Setting, renamed: RenamedSettings): FormerName[] {
  return Object.entries(renamed)
    .filter(([, present]) => `${key}.`.startsWith(`${present}.`))
    .map(([former, present]) => {
      const formerKey = former + key.slice(present.length);
      return { key: formerKey, variable: variableOf(formerKey.split('.')) };
    });
}

/** The text that reports one use of a former name. */
export function renamedNotice(former: string, present: string): string {
  return `${former} is now called ${present}: the former name still works, but use the present one`;
}

/** Moves values from their former names to the present ones. Returns the renames that it applied. */
export function applyRenames(tree: Tree, renamed: RenamedSettings): [former: string, present: string][] {
  return Object.entries(renamed).filter(([former, present]) => {
    const [from, to] = [former.split('.'), present.split('.')];
    const value = valueAt(tree, from);
    if (value === undefined) return false;
    removeAt(tree, from);
    const existing = valueAt(tree, to);
    if (existing === undefined) setAt(tree, to, value);
    else if (isTree(existing) && isTree(value)) setAt(tree, to, merge(value, existing));
    return true;
  });
}
