import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, SignJWT } from 'jose';
import { ProtocolClient } from '../../support/protocol-client.js';
import { Server } from '../../support/server.js';

/** Both issuers use the same key id. */
const KID = 'main';

describe("a key set for each issuer, with Centrifugo's configuration", () => {
  const keys = {
    one: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    two: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  const fetched: string[] = [];
  let keyServer: HttpServer;
  let directory: string;
  let server: Server;

  const configured = (endpoint: string): string => {
    const file = join(directory, 'config.json');
    const token = {
      jwks_public_endpoint: endpoint,
      issuer_regex: '^https://id\\.test/realms/(?P<realm>[^/]+)$',
    };
    writeFileSync(file, JSON.stringify({ client: { token }, http_api: { key: 'key-of-this-test-16' } }));
    return file;
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-issuers-'));
    keyServer = createServer((request, response) => {
      fetched.push(request.url!);
      const [, realm] = /^\/realms\/(one|two)\/certs$/.exec(request.url!) ?? [];
      if (realm === undefined) return response.writeHead(404).end();
      void exportJWK(keys[realm as keyof typeof keys].publicKey).then((jwk) =>
        response.end(JSON.stringify({ keys: [{ kid: KID, use: 'sig', alg: 'RS256', ...jwk }] })),
      );
    }).listen(0, '127.0.0.1');
    await once(keyServer, 'listening');
    const { port } = keyServer.address() as AddressInfo;
    const file = configured(`http://127.0.0.1:${port}/realms/{{realm}}/certs`);
    server = await Server.start({ args: ['--config', file] });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    keyServer.closeAllConnections();
    keyServer.close();
    rmSync(directory, { recursive: true });
  });

  /** Returns the reply to a connect command, or why the client was closed. */
  const connect = async (realm: string, key: KeyObject): Promise<unknown> => {
    const token = await new SignJWT({ sub: `user of ${realm}`, iss: `https://id.test/realms/${realm}` })
      .setProtectedHeader({ alg: 'RS256', kid: KID })
      .sign(key);
    const url = `ws://127.0.0.1:${server.port}/connection/websocket`;
    const client = await ProtocolClient.open(url);
    const ended = once(client.socket, 'close');
    const replied = client.next();
    client.send({ id: 1, connect: { token } });
    const reply = await Promise.race([replied, ended.then(([code]) => `closed with ${code as number}`)]);
    replied.catch(() => {});
    client.socket.terminate();
    return reply.startsWith('{') ? JSON.parse(reply) : reply;
  };

  it('accepts the users of both issuers', async () => {
    expect(await connect('one', keys.one.privateKey)).toMatchObject({
      connect: { client: expect.any(String) },
    });
    expect(await connect('two', keys.two.privateKey)).toMatchObject({
      connect: { client: expect.any(String) },
    });
    expect(await connect('one', keys.one.privateKey)).toMatchObject({ connect: {} });
    expect(fetched).toEqual(['/realms/one/certs', '/realms/two/certs']);
  });

  it('refuses a token of one issuer that the other one signed', async () => {
    expect(await connect('two', keys.one.privateKey)).toBe('closed with 3500');
  });

  it('asks for no other path, whatever the issuer is', async () => {
    expect(await connect('..', keys.one.privateKey)).toBe('closed with 3500');
    expect(await connect('one\\..', keys.one.privateKey)).toBe('closed with 3500');
    expect(await connect('one?x#', keys.one.privateKey)).toMatchObject({
      error: { code: 100, temporary: true },
    });
    expect(fetched.slice(2)).toEqual(['/realms/one%3Fx%23/certs']);
  });

  it('does not start with a placeholder that no group fills', async () => {
    const file = configured('https://id.test/{{tenant}}/certs');
    await using refused = await Server.spawn({ args: ['--config', file] });
    expect(await refused.exited()).toBe(1);
    expect(refused.output).toContain('no group (?P<tenant>…)');
  });
});
