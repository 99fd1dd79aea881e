/** Serves the three functions and the page of the chat. It needs Node 20 or later, and no package. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Carillon } from './carillon.mjs';
import { Chat } from './chat.mjs';
import { isSigned } from './signature.mjs';

const { CHAT_HOST = '127.0.0.1', CHAT_PORT = '4000', CARILLON_URL = 'http://localhost:3000' } = process.env;
const { CARILLON_WEBSOCKET_URL = `${CARILLON_URL.replace(/^http/, 'ws')}/chat` } = process.env;
const MAX_BODY_BYTES = 2 ** 20;

function required(name) {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set. README.md says what it is.`);
  process.exit(1);
}

const signingSecret = required('SIGNING_SECRET');
const chat = new Chat(
  new Carillon({
    url: CARILLON_URL,
    apiKey: required('CARILLON_API_KEY'),
    pushSecret: required('PUSH_SECRET'),
  }),
);
const functions = new Map([
  ['/register', (event) => chat.register(event)],
  ['/transport', (event) => chat.transport(event)],
  ['/cleanup', (event) => chat.cleanup(event)],
]);

const types = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
const names = ['index.html', 'chat.css', 'chat.js', 'connection.js', 'log.js', 'icon.svg'];
const pages = new Map([
  ...names.map((name) => [
    name === 'index.html' ? '/' : `/${name}`,
    {
      type: `${types[name.split('.').at(-1)]}; charset=utf-8`,
      body: readFileSync(new URL(`../public/${name}`, import.meta.url)),
    },
  ]),
  [
    '/settings.json',
    { type: 'application/json', body: JSON.stringify({ webSocketUrl: CARILLON_WEBSOCKET_URL }) },
  ],
]);
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${new URL(CARILLON_WEBSOCKET_URL).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** Resolves to undefined if the body is too large. It is read all the same, so that the answer arrives. */
async function bodyOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}

async function call(run, request) {
  const body = await bodyOf(request);
  if (body === undefined) return [413, { errNo: 413, errMsg: 'the event is too large' }];
  if (!isSigned(request.headers, body, signingSecret))
    return [401, { errNo: 401, errMsg: 'the signature is not from Carillon' }];
  return [200, await run(JSON.parse(body.toString()))];
}

async function handle(request, response) {
  const path = request.url.split('?')[0];
  const run = functions.get(path);
  if (run !== undefined && request.method === 'POST') {
    const [status, answer] = await call(run, request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    return;
  }
  const page = ['GET', 'HEAD'].includes(request.method) ? pages.get(path) : undefined;
  if (page === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  response.writeHead(200, { ...pageHeaders, 'content-type': page.type }).end(page.body);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(`${request.url} failed: ${error.message}`);
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { 'content-type': 'application/json' }).end('{"errNo":500}');
  });
});
server.listen(Number(CHAT_PORT), CHAT_HOST, () => {
  console.log(`The chat is at http://localhost:${server.address().port}`);
});
