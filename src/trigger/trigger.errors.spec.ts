import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BadGatewayException, GoneException, NotFoundException } from '@nestjs/common';
import { BrokerUnavailableError, BusClosedError, RecordRefusedError } from '../bus/index.js';
import { toHttpError } from '../http/http-error.js';
import * as errors from './trigger.errors.js';

describe('statusByCode', () => {
  it('is what docs/http-api.md says', () => {
    const document = readFileSync(resolve('docs/http-api.md'), 'utf8');
    const rows = document.matchAll(/^\| `(\w+)` +\| (\d{3}) +\|/gm);
    const documented = Object.fromEntries([...rows].map(([, code, status]) => [code, Number(status)]));
    expect(documented).toEqual(errors.statusByCode);
  });

  it('has no code that nobody raises', () => {
    const source = readFileSync(resolve('src/trigger/trigger.errors.ts'), 'utf8');
    const raised = [...source.matchAll(/refusal\('(\w+)'\)/g)].map(([, code]) => code);
    const foreign =
      'record_refused broker_unavailable bus_closed schedule_full body_too_large malformed_request not_found ' +
      'request_timeout uri_too_long upgrade_required headers_too_large internal_error';
    expect(new Set([...raised, ...foreign.split(' ')])).toEqual(new Set(Object.keys(errors.statusByCode)));
  });
});

describe('toHttpError', () => {
  it('gives an error its status, and what the answer needs beside it', () => {
    expect(toHttpError(new errors.RateLimitedError(1200))).toMatchObject({
      status: 429,
      code: 'rate_limited',
      headers: { 'Retry-After': '2' },
    });
    expect(toHttpError(new errors.MethodNotAllowedError('PUT', ['GET', 'POST']))).toMatchObject({
      status: 405,
      headers: { Allow: 'GET, POST' },
    });
    expect(toHttpError(new errors.UnauthorizedError('who?'))).toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
    expect(toHttpError(new RecordRefusedError('too large')).status).toBe(422);
  });

  it.each([
    [new BrokerUnavailableError('kafka', 'broker-7.internal:9092 refused the connection'), 503],
    [new BusClosedError(), 503],
    [new TypeError('undefined is not a function at /srv/app/secret.ts'), 500],
    [new BadGatewayException('upstream at 10.0.0.7'), 500],
    ['not even an error', 500],
  ])('says no more of our own faults than it must: %s', (error, status) => {
    const answer = toHttpError(error);
    expect(answer.status).toBe(status);
    expect(answer.message).not.toMatch(/broker-7|secret|10\.0/);
    expect(answer.headers['Retry-After']).toBe(status === 503 ? '1' : undefined);
  });

  it('gives what the framework refuses a code, and the status of that code', () => {
    expect(toHttpError(new NotFoundException())).toMatchObject({ status: 404, code: 'not_found' });
    expect(toHttpError(new GoneException())).toMatchObject({ status: 400, code: 'malformed_request' });
  });
});
