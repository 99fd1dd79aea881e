/** A configuration as nested objects, before the schema has checked it. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function valueAt(tree: Tree, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, name) => (isTree(node) && Object.hasOwn(node, name) ? node[name] : undefined),
    tree,
  );
}

/** Sets the value at a path. Creates the objects on the way, also in the place of other values. */
export function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const name of path.slice(0, -1)) {
    const child = node[name];
    node = isTree(child) ? child : (node[name] = {} as Tree);
  }
  node[path.at(-1) ?? ''] = value;
}

export function removeAt(tree: Tree, path: readonly string[]): void {
  const parent = valueAt(tree, path.slice(0, -1));
  if (isTree(parent)) Reflect.deleteProperty(parent, path.at(-1) ?? '');
}

/** Joins two trees. Where both have a value, `stronger` wins. */
export function merge(weaker: Tree, stronger: Tree): Tree {
  const joined = Object.entries(stronger).map(([name, value]) => {
    const other = weaker[name];
    return [name, isTree(other) && isTree(value) ? merge(other, value) : value];
  });
  return { ...weaker, ...Object.fromEntries(joined) };
}
