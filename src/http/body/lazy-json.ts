import { BadRequestException } from '@nestjs/common';
import type { FastifyBodyParser, FastifyRequest } from 'fastify';
import { isJsonType } from './media-type.js';

const received = new WeakMap<FastifyRequest, Buffer>();

/** Returns the bytes of the body, also if the routes of an application see its value. */
export function bodyBytes(request: FastifyRequest): Buffer | undefined {
  const bytes = received.get(request) ?? request.body;
  return Buffer.isBuffer(bytes) ? bytes : undefined;
}

/**
 * Makes `request.body` the value of a JSON body. It is parsed when it is read for the first time: the routes of Carillon take the
 * bytes and never read it. Other bodies stay bytes. Reading a body that is not JSON throws a BadRequestException.
 */
export function parseLazily(request: FastifyRequest, parse: FastifyBodyParser<string>): void {
  const { body, headers } = request;
  if (!Buffer.isBuffer(body)) return;
  if (!isJsonType(headers['content-type'] ?? '')) return;
  received.set(request, body);
  const define = (descriptor: PropertyDescriptor) =>
    Object.defineProperty(request, 'body', { configurable: true, enumerable: true, ...descriptor });
  const set = (value: unknown): void => void define({ value, writable: true });
  define({
    set,
    get: () => {
      let result: unknown;
      void parse(request, body.toString(), (error, value: unknown) => {
        if (error !== null) throw new BadRequestException(error.message, { cause: error });
        result = value;
      });
      set(result);
      return result;
    },
  });
}
