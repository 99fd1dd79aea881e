import { describe, expect, it } from '@jest/globals';
import { BadGatewayException, GoneException, NotFoundException } from '@nestjs/common';
import { CarillonError } from '../errors.js';
import { HttpErrors } from './error-responses.js';
import { MethodNotAllowedError, RateLimitedError, UnauthorizedError } from './http.errors.js';

class UnregisteredError extends CarillonError {
  readonly code = 'unregistered';
}

describe('HttpErrors', () => {
  const errors = new HttpErrors();

  it('reports an error with the status and the headers of its code', () => {
    expect(errors.toHttpError(new RateLimitedError(1200))).toMatchObject({
      status: 429,
      code: 'rate_limited',
      headers: { 'Retry-After': '2' },
    });
    expect(errors.toHttpError(new MethodNotAllowedError('PUT', ['GET', 'POST']))).toMatchObject({
      status: 405,
      headers: { Allow: 'GET, POST' },
    });
    expect(errors.toHttpError(new UnauthorizedError('who?'))).toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  });

  it.each([
    new TypeError('undefined is not a function at /srv/app/secret.ts'),
    new BadGatewayException('upstream at 10.0.0.7'),
    new UnregisteredError('the secret is out'),
    'not even an error',
  ])('reports no details of internal errors: %s', (error) => {
    const { status, message, headers } = errors.toHttpError(error);
    expect(status).toBe(500);
    expect(message).not.toMatch(/secret|10\.0/);
    expect(headers).toEqual({});
  });

  it('gives errors of the framework a code, and the status of that code', () => {
    expect(errors.toHttpError(new NotFoundException())).toMatchObject({ status: 404, code: 'not_found' });
    expect(errors.toHttpError(new GoneException())).toMatchObject({ status: 400, code: 'malformed_request' });
  });

  it('reports a registered code with the status, message and headers of its rule', () => {
    const some = new HttpErrors();
    some.register({ unregistered: { status: 503, message: 'try again', headers: { 'Retry-After': '7' } } });
    expect(some.toHttpError(new UnregisteredError('the secret is out'))).toEqual({
      status: 503,
      code: 'unregistered',
      message: 'try again',
      headers: { 'Retry-After': '7' },
    });
  });

  it('refuses to register a code twice', () => {
    expect(() => new HttpErrors().register({ not_found: 410 })).toThrow(/not_found is registered twice/);
  });
});
