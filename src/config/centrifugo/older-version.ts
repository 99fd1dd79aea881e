import type { Tree } from '../tree.js';

/** Options at the top of a file of Centrifugo 5 that are elsewhere in version 6. */
const OPTIONS = new Set(['namespaces', 'allowed_origins', 'port', 'address', 'log_level', 'presence']);
const SECTIONS =
  /^(?:token|client|proxy|redis|nats|api|admin|websocket|allow|history|granular|user_subscribe)_/;

/** Returns the options that only a file of Centrifugo 5 or older has. */
export function olderOptions(file: Tree, isKnown: (name: string) => boolean): string[] {
  const names = Object.keys(file).filter(
    (name) => !isKnown(name) && (OPTIONS.has(name) || SECTIONS.test(name)),
  );
  return typeof file.engine === 'string' ? [...names, 'engine'] : names;
}

export function olderVersionFault(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return (
    `the configuration file is for Centrifugo 5 or older (${shown}${names.length > 3 ? ', …' : ''}), and only files for version 6 ` +
    'are read: convert it first, see https://centrifugal.dev/docs/getting-started/migration_v6'
  );
}
