import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError, BusClosedError, RecordRefusedError } from '../bus/index.js';
import { HttpErrors, httpErrorTable, statusOf } from '../http/index.js';
import { triggerErrorTable } from './trigger.errors.js';

const tables = { ...httpErrorTable, ...triggerErrorTable };

describe('the tables of HTTP errors', () => {
  it('list the codes and statuses of docs/http-api.md', () => {
    const document = readFileSync(resolve('docs/http-api.md'), 'utf8');
    const rows = document.matchAll(/^\| `(\w+)` +\| (\d{3}) +\|/gm);
    const documented = Object.fromEntries([...rows].map(([, code, status]) => [code, Number(status)]));
    const statuses = Object.entries(tables).map(([code, rule]) => [code, statusOf(rule)]);
    expect(documented).toEqual(Object.fromEntries(statuses));
  });

  it('have no code that is never raised', () => {
    const sources = ['src/http/http.errors.ts', 'src/trigger/trigger.errors.ts'];
    const raised = sources.flatMap((path) =>
      [...readFileSync(resolve(path), 'utf8').matchAll(/errorClass\('(\w+)'\)/g)].map(([, code]) => code),
    );
    const foreign =
      'record_refused broker_unavailable bus_closed schedule_full schedule_quota_exceeded body_too_large malformed_request not_found ' +
      'request_timeout uri_too_long upgrade_required headers_too_large internal_error too_many_connections ' +
      'host_not_allowed ' +
      'too_many_requests_in_flight invalid_payload';
    expect(new Set([...raised, ...foreign.split(' ')])).toEqual(new Set(Object.keys(tables)));
  });
});

describe('HttpErrors with the codes of trigger', () => {
  const errors = new HttpErrors();
  errors.register(triggerErrorTable);

  it('reports what the bus refuses', () => {
    expect(errors.toHttpError(new RecordRefusedError('too large')).status).toBe(422);
  });

  it.each([
    new BrokerUnavailableError('kafka', 'broker-7.internal:9092 refused the connection'),
    new BusClosedError(),
  ])('asks to try again without details of our own faults: %s', (error) => {
    const { status, message, headers } = errors.toHttpError(error);
    expect(status).toBe(503);
    expect(message).not.toMatch(/broker-7/);
    expect(headers['Retry-After']).toBe('1');
  });
});
