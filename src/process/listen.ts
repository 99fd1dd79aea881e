import type { INestApplication } from '@nestjs/common';
import type { ServerOptions } from '../config/server.options.js';
import { CarillonError } from '../errors.js';
import { HttpAdapter } from '../http/index.js';

/** The process cannot listen on the configured address. The message says what to do. */
export class CannotListenError extends CarillonError {
  readonly code = 'cannot_listen';
}

/** @throws CannotListenError */
export async function listen(
  app: INestApplication,
  { host, port, http }: Pick<ServerOptions, 'host' | 'port' | 'http'>,
): Promise<void> {
  await orAdvise(() => app.listen(port, host), host, port, 'PORT or --port');
  const { port: internalPort, host: internalHost = host } = http.internal;
  const adapter: unknown = app.getHttpAdapter();
  if (internalPort === undefined || !(adapter instanceof HttpAdapter)) return;
  const start = () => adapter.servers.listenInternal(internalPort, internalHost);
  await orAdvise(start, internalHost, internalPort, 'server.http.internal.port');
}

async function orAdvise(
  start: () => Promise<unknown>,
  host: string,
  port: number,
  setting: string,
): Promise<void> {
  try {
    await start();
  } catch (cause) {
    const advice = adviceFor((cause as NodeJS.ErrnoException).code, host, port, setting);
    throw advice === undefined ? cause : new CannotListenError(advice, { cause });
  }
}

function adviceFor(
  code: string | undefined,
  host: string,
  port: number,
  setting: string,
): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop the program that uses it, or choose another port with ${setting}`;
    case 'EACCES':
      return `this user may not listen on port ${port} on ${host}: choose another port with ${setting}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine: choose another one with HOST or --host`;
    default:
      return undefined;
  }
}
