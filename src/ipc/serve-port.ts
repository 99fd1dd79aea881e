import type { Callable } from './function-table.js';
import type { Link } from './link.js';

interface Closable {
  close(): Promise<void>;
}

/**
 * Serves members of a port to the process at the other end, which asks for them with a `RemotePort` of the same name.
 *
 * What a method answers with a `close` of its own (a consumer, a subscription) goes by reference, and is closed when the link
 * ends: a process that dies holds nothing.
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
      return isClosable(result) ? tied(link, result) : result;
    };
  link.serve(name, Object.fromEntries(members.map((member) => [member, serve(member) as Callable])));
}

function tied(link: Link, owned: Closable): object {
  const close = async (): Promise<void> => {
    forget();
    await owned.close();
  };
  // Whoever closes it as well sees what goes wrong; here nobody is left to tell.
  const forget = link.onEnd(() => void close().catch(() => {}));
  const methods = Object.entries(owned).filter(([, each]) => typeof each === 'function');
  return { ...Object.fromEntries(methods), close };
}

function isClosable(value: unknown): value is Closable {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}
