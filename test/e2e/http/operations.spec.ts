/** Tests the operations of the server API as another API would call them: without HTTP and JSON text. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ControlCommand, Publication } from '../../../src/delivery/index.js';
import type { Draft } from '../../../src/trigger/index.js';
import { TriggerApp } from '../../support/trigger-app.js';

const kept = { name: 'kept', historySize: 10, historyTtlMs: 60_000 };

const draft = (text: string, fields: Partial<Draft> = {}): Draft => ({
  data: Buffer.from(text),
  format: 'json',
  terms: undefined,
  route: undefined,
  traceparent: undefined,
  ...fields,
});

describe('operations', () => {
  let app: TriggerApp;
  beforeAll(async () => {
    app = await TriggerApp.start({
      delivery: { channels: { withoutNamespace: { presence: true }, namespaces: [kept] } },
    });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('publish delivers the bytes unchanged and returns their position', async () => {
    const received: Publication[] = [];
    await app.delivery.attach('kept:bytes', { receive: (publication) => received.push(publication) });
    const given = draft('{ "n":1.50 }');
    const result = await app.publishing.publish('kept:bytes', given);
    expect(result).toEqual({ offset: 1, epoch: expect.any(String) });
    expect(received[0]?.data).toBe(given.data);
  });

  it('publish returns nothing for a channel without a history', async () => {
    expect(await app.publishing.publish('a', draft('1'))).toEqual({});
  });

  it('publish with a route returns the message id', async () => {
    const direct = draft('1', { route: { lane: 'direct', expiresInMs: 60_000 } });
    const delayed = draft('1', { route: { lane: 'delayed', timing: { afterMs: 3_600_000 } } });
    expect(await app.publishing.publish('a', direct)).toEqual({ id: expect.any(String) });
    const { id } = await app.publishing.publish('a', delayed);
    expect(await app.delayed()).toMatchObject([{ id, channel: 'a' }]);
  });

  it('broadcast returns a result or an error for each channel', async () => {
    const results = await app.publishing.broadcast(['a', 'nope:b', '', 'kept:c'], draft('1'));
    expect(results).toMatchObject([
      { status: 'fulfilled', value: {} },
      { status: 'rejected', reason: { code: 'unknown_namespace' } },
      { status: 'rejected', reason: { code: 'invalid_channel' } },
      { status: 'fulfilled', value: { offset: 1 } },
    ]);
  });

  it('history returns the publications of a channel until they are removed', async () => {
    const { data } = draft('{"n":1}');
    await app.publishing.publish('kept:history', draft('{"n":1}'));
    const request = { channel: 'kept:history', limit: -1, since: undefined, reverse: false };
    expect(await app.queries.history(request)).toMatchObject({
      offset: 1,
      publications: [{ offset: 1, data }],
    });
    await app.publishing.removeHistory('kept:history');
    expect(await app.queries.history(request)).toMatchObject({ offset: 1, publications: [] });
  });

  it('presence returns the clients of a channel', async () => {
    const info = { user: 'u', client: 'c', connInfo: Buffer.from([255]) };
    await app.presence.add('a', info, 60_000);
    expect(await app.queries.presence('a')).toEqual(new Map([['c', info]]));
    expect(await app.queries.presenceStats('a')).toEqual({ clients: 1, users: 1 });
  });

  it.each([
    ['presence', () => app.queries.presence('kept:a')],
    ['history', () => app.queries.history({ channel: 'a', limit: 0, since: undefined, reverse: false })],
    ['removeHistory', () => app.publishing.removeHistory('a')],
  ])('%s is refused in a channel whose options do not allow it', async (_, call) => {
    await expect(call()).rejects.toMatchObject({ code: 'not_available' });
  });

  it('nodes and channels return the nodes and channels of the deployment', async () => {
    await app.delivery.attach('counted', { receive: () => {} });
    expect(await app.queries.nodes()).toMatchObject([{ version: '0.0.0' }]);
    expect(await app.queries.channels('count*')).toEqual(new Map([['counted', 1]]));
  });

  it('commands reach the connections with their parameters, and close codes are checked', async () => {
    const received: ControlCommand[] = [];
    app.nodes.onCommand((command) => received.push(command));
    await app.connectionCommands.subscribe({ user: 'u', channel: 'a', info: Buffer.from('{}') });
    await app.connectionCommands.disconnect({ user: 'u', disconnect: { code: 4100, reason: 'bye' } });
    expect(received).toEqual([
      { kind: 'subscribe', user: 'u', channel: 'a', info: Buffer.from('{}') },
      { kind: 'disconnect', user: 'u', disconnect: { code: 4100, reason: 'bye' } },
    ]);
    const tooLow = { user: 'u', disconnect: { code: 1000, reason: '' } };
    await expect(app.connectionCommands.disconnect(tooLow)).rejects.toMatchObject({
      code: 'invalid_disconnect',
    });
  });
});
