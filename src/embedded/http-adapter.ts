import { HttpAdapter } from '../http/index.js';
import { completeOptions, type CarillonOptions } from './embedded.options.js';

/**
 * Creates the Fastify adapter of an application that contains Carillon: `NestFactory.create(AppModule, createHttpAdapter(options))`.
 * It applies the limits of `server.http` to all routes, and parses JSON bodies for those of the application.
 *
 * @throws ConfigError with all faults of the options
 */
export function createHttpAdapter(options: CarillonOptions = {}): HttpAdapter {
  const { server } = completeOptions(options).config;
  const adapter = new HttpAdapter(server.http, server.host);
  adapter.parseJsonBodies();
  return adapter;
}
