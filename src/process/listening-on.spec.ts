import { expect, it } from '@jest/globals';
import { listeningOn } from './listening-on.js';

it.each([
  ['127.0.0.1', 'http://127.0.0.1:8000'],
  ['localhost', 'http://localhost:8000'],
  ['10.1.2.3', 'http://10.1.2.3:8000'],
  ['::1', 'http://[::1]:8000'],
  ['0.0.0.0', '0.0.0.0:8000 (all interfaces), open http://127.0.0.1:8000'],
  ['::', '[::]:8000 (all interfaces), open http://[::1]:8000'],
])('%s', (host, text) => {
  expect(listeningOn(host, 8000)).toBe(text);
});
