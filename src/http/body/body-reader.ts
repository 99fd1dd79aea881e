import type { IncomingMessage } from 'node:http';
import { errorCodes, type FastifyRequest } from 'fastify';
import { JoinedChunks } from '../../bytes/index.js';

type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Reads the body of a request, up to the limit of its route. Chunks are joined as they arrive: a caller that sends a body in chunks
 * of one byte would otherwise cost some 200 bytes of memory for each.
 */
export function readBody(request: FastifyRequest, stream: IncomingMessage, done: Done): void {
  const limit = request.routeOptions.bodyLimit;
  const declared = Number(stream.headers['content-length'] ?? Number.NaN);
  if (declared > limit) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    return;
  }
  const joined = new JoinedChunks(Number.isNaN(declared) ? limit : declared);
  const onData = (chunk: Buffer): void => {
    if (joined.length + chunk.length > limit) finish(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    else joined.add(chunk);
  };
  const onEnd = (): void => {
    const isComplete = Number.isNaN(declared) || joined.length === declared;
    if (isComplete) finish(null, joined.toBuffer());
    else finish(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH());
  };
  const onError = (error: Error): void => finish(Object.assign(error, { statusCode: 400 }));
  const finish: Done = (error, body) => {
    stream.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, body);
  };
  stream.on('data', onData).on('end', onEnd).on('error', onError);
}
