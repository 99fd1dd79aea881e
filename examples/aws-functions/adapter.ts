import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export type Handler = (event: never) => Promise<unknown>;

/** Serves a function that was written for AWS over HTTP: the body of a request is the event, and the response is the result. */
export function serve(handler: Handler, port = 0): Server {
  const server = createServer((request, response) => void respond(handler, request, response));
  return server.listen(port, '127.0.0.1');
}

async function respond(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event = JSON.parse(Buffer.concat(chunks).toString()) as never;
    const result = (await handler(event)) ?? { statusCode: 200 };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(result));
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
}
