import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { OpenApi } from './open-api.js';

/** Files of Swagger UI that the page needs, with their types. */
const ASSETS = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

const START =
  "SwaggerUIBundle({ url: '/docs/json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Carillon HTTP API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" href="/docs/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** The page loads nothing from other servers, sends requests only to this server, and cannot be shown in a frame. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/**
 * Serves the documentation of the HTTP API at `/docs` and the OpenAPI document at `/docs/json`. Everything is in memory: all responses
 * share the bytes, and a request opens no file.
 */
export function serveDocumentation(app: NestFastifyApplication, version: string): void {
  const server = app.getHttpAdapter().getInstance();
  const serve = (path: string, type: string, body: () => string | Buffer): void => {
    server.get(path, { config: { isCostly: true } }, (_request, reply) =>
      reply.headers(HEADERS).type(type).send(body()),
    );
  };
  let document: Buffer | undefined;
  serve('/docs/json', 'application/json; charset=utf-8', () => {
    document ??= Buffer.from(JSON.stringify(app.get(OpenApi).create(app, version)));
    return document;
  });
  for (const path of ['/docs', '/docs/']) serve(path, 'text/html; charset=utf-8', () => PAGE);
  serve('/docs/start.js', 'text/javascript; charset=utf-8', () => START);
  const directory = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const [name, type] of Object.entries(ASSETS)) {
    const bytes = readFileSync(join(directory, name));
    serve(`/docs/${name}`, type, () => bytes);
  }
}
