import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { register } from 'prom-client';
import { AppModule } from '../../src/app.module.js';
import { translateCentrifugo } from '../../src/config/centrifugo/translate.js';
import { loadConfig } from '../../src/config/load.js';
import { configSchema } from '../../src/config/schema.js';
import { wellKnownVariables } from '../../src/config/well-known.js';
import type { GatewayExtensions } from '../../src/gateway/index.js';
import { Readiness } from '../../src/metrics/index.js';
import { HttpAdapter } from '../../src/http/index.js';

export const API_KEY = 'api-key';
export const SECRET = 'secret';

/** The complete server in this process, with a Centrifugo configuration file, on a free port. */
export class CentrifugoApp implements AsyncDisposable {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly port: number,
  ) {}

  /**
   * @param file in `test/golden`
   * @param settings additional Carillon settings, by dotted name
   */
  static async start(
    file: string,
    settings: Readonly<Record<string, string | number | boolean>> = {},
    extensions: GatewayExtensions = {},
  ): Promise<CentrifugoApp> {
    register.clear();
    const flags = { 'server.host': '127.0.0.1', 'bus.drivers.sqlite.directory': ':memory:', ...settings };
    const { config } = loadConfig({
      schema: configSchema,
      wellKnown: wellKnownVariables,
      translate: translateCentrifugo,
      argv: ['--config', file, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
      env: {},
      cwd: 'test/golden',
    });
    const built = await Test.createTestingModule({
      imports: [AppModule.forRoot(config, extensions)],
    }).compile();
    const app = built.createNestApplication<NestFastifyApplication>(new HttpAdapter(config.server.http), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    app.get(Readiness).serving();
    return new CentrifugoApp(app, (app.getHttpServer().address() as AddressInfo).port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get socketUrl(): string {
    return `ws://127.0.0.1:${this.port}/connection/websocket`;
  }

  /** Calls the server API and returns the result. Throws if the reply is an error. */
  async api(method: string, params: object): Promise<unknown> {
    const response = await fetch(`${this.url}/api/${method}`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY, 'content-type': 'application/json' },
      body: JSON.stringify(params),
    });
    const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
    if (error !== undefined) throw new Error(JSON.stringify(error));
    return result;
  }

  /** Resolves with the number of connected clients. */
  async clients(): Promise<number> {
    const { nodes } = (await this.api('info', {})) as { nodes: readonly { num_clients: number }[] };
    return nodes[0]?.num_clients ?? 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.app.close();
  }
}

/** Returns a signed token with these claims. */
export function sign(claims: object, secret = SECRET, alg = 'HS256'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
  const signature = alg === 'none' ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}
