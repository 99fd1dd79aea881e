import type { Config } from './schema.js';

/** Returns one sentence for each setting that has no meaning in a process that belongs to an application. */
export function embeddedFaults({ server, bus }: Config): string[] {
  const faults: string[] = [];
  if (server.workers !== 1)
    faults.push(
      'server.workers: an application is one process: remove it, and start the application several times',
    );
  if (server.http.internal.port !== undefined)
    faults.push(
      'server.http.internal.port: the application listens, on one port: remove it, and protect /metrics with server.http.metricsKeys',
    );
  for (const [name, { load }] of Object.entries(bus.modules))
    if (load.length > 0)
      faults.push(
        `bus.modules.${name}.load: only the server loads files: import their classes, and add them to the providers of the application`,
      );
  return faults;
}
