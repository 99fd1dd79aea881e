import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ListRequests } from './list-requests.js';

describe('ListRequests', () => {
  let lists: ListRequests;
  let responses: EventEmitter[];

  beforeEach(() => {
    lists = new ListRequests();
    responses = [];
  });

  const request = (caller = 'a') => {
    const response = new EventEmitter();
    responses.push(response);
    let isAdmitted = false;
    const admitted = lists.admit(caller, response as ServerResponse).then(() => (isAdmitted = true));
    return { response, admitted, isAdmitted: () => isAdmitted };
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('admits four requests of a caller, and another one when a response has closed', async () => {
    const first = Array.from({ length: 4 }, () => request());
    await Promise.all(first.map(({ admitted }) => admitted));
    const fifth = request();
    const other = request('b');
    await other.admitted;
    await turn();
    expect(fifth.isAdmitted()).toBe(false);
    first[2]?.response.emit('close');
    await fifth.admitted;
  });

  it('refuses requests when many wait', async () => {
    const waiting = Array.from({ length: 4 + 64 }, () => request());
    await expect(request().admitted).rejects.toMatchObject({ code: 'too_many_lists' });
    for (const { response } of waiting) response.emit('close');
    await Promise.all(waiting.map(({ admitted }) => admitted));
    await request().admitted;
  });

  it('refuses a request that has waited for long', async () => {
    jest.useFakeTimers();
    for (let count = 0; count < 4; count++) await request().admitted;
    const refused = request().admitted.catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await refused).toMatchObject({ code: 'too_many_lists' });
    jest.useRealTimers();
  });

  it('passes over a request whose connection has closed while it waited', async () => {
    const first = Array.from({ length: 4 }, () => request());
    await Promise.all(first.map(({ admitted }) => admitted));
    const [gone, next] = [request(), request()];
    gone.response.emit('close');
    first[0]?.response.emit('close');
    await next.admitted;
    await turn();
    for (const response of responses) response.emit('close');
    const later = Array.from({ length: 4 }, () => request());
    await Promise.all(later.map(({ admitted }) => admitted));
    expect(later.every(({ isAdmitted }) => isAdmitted())).toBe(true);
  });
});
