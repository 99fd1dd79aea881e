import type { Callable } from './function-table.js';
import type { Link } from './link.js';

interface Closable {
  close(): Promise<void>;
}

/**
 * Serves members of a port to the other process, which calls them through a `RemotePort` of the same name.
 *
 * A result that has a `close` of its own (a consumer, a subscription) is passed by reference. It is closed when the link ends, so
 * that a process that dies holds nothing.
 */
export function servePort<Port extends object>(
  link: Link,
  name: string,
  port: Port,
  members: readonly (keyof Port & string)[],
): void {
  const serve =
    (member: keyof Port & string) =>
    async (...args: never[]) => {
      const served = port[member];
      const result: unknown = typeof served === 'function' ? await served.apply(port, args) : served;
      return isClosable(result) ? closedWithLink(link, result) : result;
    };
  link.serve(name, Object.fromEntries(members.map((member) => [member, serve(member) as Callable])));
}

function closedWithLink(link: Link, opened: Closable): object {
  const close = async (): Promise<void> => {
    removeListener();
    await opened.close();
  };
  // After the link has ended, nobody is left to report an error to.
  const removeListener = link.onEnd(() => void close().catch(() => {}));
  const methods = Object.entries(opened).filter(([, each]) => typeof each === 'function');
  return { ...Object.fromEntries(methods), close };
}

function isClosable(value: unknown): value is Closable {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}
