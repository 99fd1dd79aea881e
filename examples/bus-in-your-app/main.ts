/**
 * npm run example -- bus-in-your-app
 * curl -d '{"customer":"ada","total":12}' -H 'Content-Type: application/json' localhost:3001/orders
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { busOptionsFrom } from '../driver.js';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule.forRoot(busOptionsFrom(process.env)), new FastifyAdapter());
// On Ctrl-C, handlers finish the events that they hold.
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3001, '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
