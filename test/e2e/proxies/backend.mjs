/**
 * A backend for the proxies in a process of its own, which behaves as badly as the method of a call says. `GET /calls` returns how
 * often each method was called.
 */
import { createServer } from 'node:http';

const calls = {};
const count = (name) => (calls[name] = (calls[name] ?? 0) + 1);
const json = (response, value) => response.end(JSON.stringify(value));

const answers = {
  fast: (response, { data }) => json(response, { result: { data } }),
  slow: () => {},
  rubbish: (response) => response.end('{"result": what?'),
  wrong: (response) => json(response, { result: [] }),
  500: (response) => response.writeHead(500).end(),
  redirect: (response) => response.writeHead(307, { location: '/internal' }).end(),
  'redirect-elsewhere': (response) =>
    response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
  endless(response) {
    const timer = setInterval(() => response.write('x'.repeat(1_000)), 1);
    response.on('close', () => clearInterval(timer));
  },
  large: (response) => response.end('x'.repeat(3_000_000)),
  'not-http': (response) => response.socket.end('this is not HTTP\r\n\r\n'),
  half: (response) =>
    response.writeHead(200, { 'content-length': 100 }).write('{', () => response.socket.end()),
  reset: (response) => response.socket.resetAndDestroy(),
  // Closes the connection, kept alive by earlier calls, when the next call arrives on it.
  reused: (response) => response.socket.destroy(),
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/calls') return json(response, calls);
    if (request.url === '/internal') return response.end(String(count('internal')));
    if (request.url === '/connect') return json(response, { result: { user: 'ann' } });
    const body = JSON.parse(Buffer.concat(chunks).toString());
    count(body.method);
    answers[body.method](response, body);
  });
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => process.send?.(server.address().port));
