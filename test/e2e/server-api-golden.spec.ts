/** The server API answers as Centrifugo does: recorded exchanges that need no sockets, replayed. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CentrifugoApp } from '../centrifugo-app.js';
import { scenariosOverHttp } from '../golden-scenarios.js';

/** Text with placeholders, each of which stands for the same text wherever it occurs. */
class Placeholders {
  readonly #values = new Map<string, string>();

  fill(text: string): string {
    return text.replaceAll(/\{\{\w+\}\}/g, (name) => this.#values.get(name) ?? name);
  }

  /** Takes the values of those that are new from what came. */
  learn(expected: string, actual: string): void {
    const names: string[] = [];
    const source = RegExp.escape(expected).replaceAll(/\\\{\\\{(\w+)\\\}\\\}/g, (_, name: string) => {
      names.push(`{{${name}}}`);
      return '(.*?)';
    });
    const [, ...values] = new RegExp(`^${source}$`, 's').exec(actual) ?? [];
    for (const [index, value] of values.entries()) this.#values.set(names[index] ?? '', value);
  }
}

describe('Recorded exchanges of the server API', () => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start('config-main.json');
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it.each(scenariosOverHttp())('$name', async ({ steps }) => {
    const placeholders = new Placeholders();
    for (const { http, response } of steps) {
      if (http === undefined || response === undefined) continue;
      const answer = await fetch(app.url + http.path, {
        method: http.method,
        headers: http.headers,
        body: http.body === undefined ? null : placeholders.fill(http.body),
      });
      const body = await answer.text();
      const isCut = response.body === '(cut)';
      // What was too long to be recorded has its shape there.
      if (isCut) expect(JSON.parse(body)).toEqual(likeThat(response.json));
      else placeholders.learn(response.body, body);
      expect({
        request: `${http.method} ${http.path} ${http.body}`,
        status: answer.status,
        // JSON is UTF-8, whether that is said or not.
        content_type: answer.headers.get('content-type')?.replace('json; charset=utf-8', 'json') ?? null,
        body: isCut ? '' : body,
      }).toEqual({
        request: `${http.method} ${http.path} ${http.body}`,
        status: response.status,
        content_type: response.content_type,
        body: isCut ? '' : placeholders.fill(response.body),
      });
    }
  });
});

/** Matches whatever has at least the fields of a recorded value. */
function likeThat(recorded: unknown): unknown {
  if (recorded === '{{int}}') return expect.any(Number);
  if (typeof recorded === 'string') return recorded.startsWith('{{') ? expect.any(String) : expect.anything();
  if (Array.isArray(recorded)) return recorded.map(likeThat);
  if (typeof recorded !== 'object' || recorded === null) return recorded;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(recorded).map(([name, value]) => [name, likeThat(value)])),
  );
}
