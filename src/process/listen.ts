import type { INestApplication } from '@nestjs/common';
import type { ServerOptions } from '../config/server.options.js';
import { CarillonError } from '../errors.js';

/** The configured address cannot be listened on. */
export class CannotListenError extends CarillonError {
  readonly code = 'cannot_listen';
}

/** @throws CannotListenError with what to do about it */
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
      return `port ${port} of ${host} is taken: stop what listens there, or choose another by PORT or --port`;
    case 'EACCES':
      return `port ${port} of ${host} is not open to this user: choose another by PORT or --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: choose another by HOST or --host`;
    default:
      return undefined;
  }
}
