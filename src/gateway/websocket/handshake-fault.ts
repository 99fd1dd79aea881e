import type { IncomingMessage } from 'node:http';
import { refusals, type Refusal } from '../connection/refusals.js';

/** 16 bytes in Base64. */
const KEY = /^[+/0-9a-z]{22}==$/i;
const VERSIONS = ['13', '8'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

/**
 * Returns why a request is not a WebSocket handshake (RFC 6455, section 4.2.1), or undefined. `ws` checks the same, but only when it
 * completes the handshake. It has then been counted already, and a protocol has prepared a connection for it.
 */
export function handshakeFault({ method, headers }: IncomingMessage): Refusal | undefined {
  if (method !== 'GET')
    return { status: 405, code: 'bad_request', message: 'a handshake uses GET', headers: { Allow: 'GET' } };
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    return malformed('Sec-WebSocket-Key must be 16 bytes in Base64');
  if (!VERSIONS.includes(String(headers['sec-websocket-version']).trim()))
    return {
      ...malformed('Sec-WebSocket-Version must be 13'),
      headers: { 'Sec-WebSocket-Version': VERSIONS.join(', ') },
    };
  return areDistinctTokens(headers['sec-websocket-protocol'])
    ? undefined
    : malformed('Sec-WebSocket-Protocol must be a list of different names');
}

function malformed(message: string): Refusal {
  return { ...refusals.malformed, message: `not a WebSocket handshake: ${message}` };
}

function areDistinctTokens(list: string | undefined): boolean {
  if (list === undefined) return true;
  const names = list.split(',').map((name) => name.trim());
  return new Set(names).size === names.length && names.every((name) => TOKEN.test(name));
}
