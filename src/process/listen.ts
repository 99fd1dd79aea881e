import type { INestApplication } from '@nestjs/common';
import type { ServerOptions } from '../config/server.options.js';
import { CarillonError } from '../errors.js';

/** The process cannot listen on the configured address. The message says what to do. */
export class CannotListenError extends CarillonError {
  readonly code = 'cannot_listen';
}

/** @throws CannotListenError */
export async function listen(
  app: INestApplication,
  { host, port }: Pick<ServerOptions, 'host' | 'port'>,
): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    const advice = adviceFor((cause as NodeJS.ErrnoException).code, host, port);
    throw advice === undefined ? cause : new CannotListenError(advice, { cause });
  }
}

function adviceFor(code: string | undefined, host: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop the program that uses it, or choose another port with PORT or --port`;
    case 'EACCES':
      return `this user may not listen on port ${port} on ${host}: choose another port with PORT or --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine: choose another one with HOST or --host`;
    default:
      return undefined;
  }
}
