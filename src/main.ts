#!/usr/bin/env node
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { commandFor } from './cli/commands.js';
import { readConfig } from './config/config.js';
import { ConfigError } from './config/config.errors.js';
import { CarillonError } from './errors.js';
import { WebSocketAdapter } from './gateway/index.js';
import { PinoLogger } from './logger.js';
import { Readiness } from './metrics/index.js';
import { stopOnSignals } from './shutdown.js';
import { announce } from './start-up-log.js';
import { createHttpAdapter, setUpOpenApi } from './trigger/index.js';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const command = commandFor(argv);
  if (command !== undefined) return command();
  const { config, notices } = readConfig(argv);
  const logger = new PinoLogger(config.log);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config),
    createHttpAdapter(config.server.http),
    { logger, abortOnError: false },
  );
  stopOnSignals(app, config.server.shutdown);
  app.useWebSocketAdapter(new WebSocketAdapter(app));
  setUpOpenApi(app);
  await app.listen(config.server.port, config.server.host);
  app.get(Readiness).serving();
  announce(config, notices, await app.getUrl());
  process.send?.('ready');
}

/** What the operator can mend is said in words; anything else is a defect and shows its stack. */
function fail(error: unknown): never {
  if (error instanceof ConfigError) process.stderr.write(`carillon: ${error.message}\n`);
  else if (error instanceof CarillonError)
    process.stderr.write(`carillon: ${error.code}: ${error.message}\n`);
  else new Logger('Main').error(error);
  process.exit(1);
}

main().catch(fail);
