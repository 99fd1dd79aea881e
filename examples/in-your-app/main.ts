/**
 * npm run example -- in-your-app
 * curl -b customer=ada -d '{"item":"tea"}' -H 'Content-Type: application/json' localhost:3001/orders
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createHttpAdapter } from 'carillon';
import { AppModule } from './app.module.js';
import { carillonOptions } from './carillon.options.js';

const app = await NestFactory.create(AppModule.forRoot(carillonOptions), createHttpAdapter(carillonOptions));
// On Ctrl-C, clients are told to reconnect, and accepted messages are finished.
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3001, '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
