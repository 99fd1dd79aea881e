import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.js';
import { logConsole } from './console-log.js';
import { listen } from './listen.js';
import { PinoLogger } from './logger.js';
import { Readiness } from '../metrics/index.js';
import { stopApplication, stopOnSignals } from './shutdown.js';
import { HttpAdapter, serveDocumentation, serveLandingPage } from '../http/index.js';
import { version } from './version.js';

/** Runs the application until a signal stops it. Resolves to its port when it accepts clients. */
export async function serve(
  module: DynamicModule,
  { server, log }: Config,
  onRepeatedSignal?: () => void,
): Promise<number> {
  const logger = new PinoLogger(log);
  logConsole(logger);
  const app = await NestFactory.create<NestFastifyApplication>(
    module,
    new HttpAdapter(server.http, server.host),
    {
      logger,
      abortOnError: false,
    },
  );
  stopOnSignals(() => stopApplication(app, server.shutdown), onRepeatedSignal);
  serveLandingPage(app, server.http.docs);
  if (server.http.docs) serveDocumentation(app, version);
  await listen(app, server);
  app.get(Readiness).serving();
  return (app.getHttpServer().address() as AddressInfo).port;
}
