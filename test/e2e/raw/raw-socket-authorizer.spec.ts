import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { WebSocket } from 'ws';
import {
  abstained,
  Authorizer,
  refused,
  type ConnectAttempt,
  type ConnectDecision,
} from '../../../src/gateway/index.js';
import { CentrifugoApp } from '../../support/centrifugo-app.js';
import { metric } from '../../support/gateway-app.js';

/** Decides by the header `x-pass`, which names the decision. */
@Injectable()
class PassAuthorizer extends Authorizer {
  override connect({ client }: ConnectAttempt): ConnectDecision | Promise<ConnectDecision> {
    if (client.protocol !== 'raw') return abstained;
    switch (client.headers['x-pass']) {
      case 'good':
        return { outcome: 'allowed' };
      case 'late':
        return new Promise(() => {});
      case 'payment':
        return { outcome: 'error', code: 402, message: 'the subscription has run out' };
      case 'banned':
        return { outcome: 'disconnect', code: 4003, reason: 'banned' };
      case 'unknown':
        return Promise.resolve(refused('noCredentials'));
      case 'busy':
        return refused('unavailable');
      default:
        return abstained;
    }
  }
}

@Module({ providers: [PassAuthorizer], exports: [PassAuthorizer] })
class ApplicationModule {}

const settings = {
  'gateway.forwardedHeaders': 'x-pass',
  'gateway.forwardedHeadersMaxBytes': 100,
  'gateway.authorizerTimeoutMs': 100,
  // A connection that leaks would keep the next client out.
  'gateway.limits.connectionsPerAddress': 1,
};

function start(replaceDefaultAuthorizers = false): Promise<CentrifugoApp> {
  const extensions = {
    imports: [ApplicationModule],
    authorizers: [PassAuthorizer],
    replaceDefaultAuthorizers,
  };
  return CentrifugoApp.start('config-main.json', settings, extensions);
}

function dial({ port }: CentrifugoApp, pass: string | undefined): WebSocket {
  const headers = pass === undefined ? {} : { 'x-pass': pass };
  return new WebSocket(`ws://127.0.0.1:${port}/message`, { headers });
}

async function refusal(app: CentrifugoApp, pass: string | undefined) {
  const socket = dial(app, pass);
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  const { error } = JSON.parse(await text(response)) as { error: { code: string; message: string } };
  return { status: response.statusCode, ...error, retries: response.headers['retry-after'] !== undefined };
}

describe('an authorizer of the application about the raw socket', () => {
  it.each([
    ['unknown', 401, 'no_credentials', 'the client has to authenticate'],
    ['payment', 402, 'refused', 'the subscription has run out'],
    ['banned', 403, 'refused', 'banned'],
  ])('refuses a handshake before the upgrade: %s', async (pass, status, code, message) => {
    await using app = await start();
    expect(await refusal(app, pass)).toEqual({ status, code, message, retries: false });
    expect(await metric('carillon_gateway_refused_handshakes_total', { reason: code })).toBe(1);
  });

  it('refuses a client temporarily with 503', async () => {
    await using app = await start();
    const expected = { status: 503, code: 'authorizer_unavailable', retries: true };
    expect(await refusal(app, 'busy')).toMatchObject(expected);
  });

  it.each(['good', undefined])(
    'lets a client in that it allows, or that it leaves to the default: %s',
    async (pass) => {
      await using app = await start();
      const socket = dial(app, pass);
      await once(socket, 'open');
      expect(await metric('carillon_gateway_connections', { protocol: 'raw' })).toBe(1);
      socket.terminate();
    },
  );

  it('refuses a client if no authorizer decides and there is no default', async () => {
    await using app = await start(true);
    expect(await refusal(app, undefined)).toMatchObject({ status: 403, code: 'permission_denied' });
  });

  it('gets a 503 response to its client if it does not decide in time, and leaves no connection behind', async () => {
    await using app = await start();
    expect(await refusal(app, 'late')).toMatchObject({ status: 503, code: 'not_ready', retries: true });
    const socket = dial(app, 'good');
    await once(socket, 'open');
    expect(await metric('carillon_gateway_connections', { protocol: 'raw' })).toBe(1);
    socket.terminate();
  });

  it('is not called for headers that are too large together: the response is 431', async () => {
    await using app = await start();
    expect(await refusal(app, 'x'.repeat(100))).toMatchObject({ status: 431, code: 'headers_too_large' });
  });
});
