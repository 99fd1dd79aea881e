import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-cache',
};

/** Serves a page at `/` that tells a newcomer that the server runs, and where to go. It names no version and no setting. */
export function serveLandingPage(app: NestFastifyApplication, hasDocumentation: boolean): void {
  const page = pageWith([
    ...(hasDocumentation ? [['/docs', 'documentation of the HTTP API']] : []),
    ['/health/ready', 'whether the server is ready for clients'],
  ]);
  const server = app.getHttpAdapter().getInstance();
  server.get('/', (_request, reply) => reply.headers(HEADERS).type('text/html; charset=utf-8').send(page));
}

function pageWith(links: readonly (readonly string[])[]): string {
  const items = links.map(([path, meaning]) => `<li><a href="${path}">${path}</a>: ${meaning}</li>`);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Carillon</title>
    <style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }</style>
  </head>
  <body>
    <h1>Carillon</h1>
    <p>This push server is running. Its guides are in the folder <code>docs/</code> of the project.</p>
    <ul>${items.join('')}</ul>
  </body>
</html>
`;
}
