/** The server API answers as Centrifugo does: recorded exchanges that need no sockets, replayed. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { translateCentrifugo } from '../../src/config/centrifugo/translate.js';
import { TriggerApp } from '../trigger-app.js';

interface Exchange {
  readonly http?: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly response?: {
    readonly status: number;
    readonly content_type: string | null;
    readonly body: string;
  };
}

interface Scenario {
  readonly name: string;
  readonly config: string;
  readonly steps: readonly Exchange[];
}

const read = (file: string) => JSON.parse(readFileSync(`test/golden/${file}`, 'utf8')) as unknown;
const scenarios = (read('centrifugo.json') as Scenario[]).filter(
  ({ name, steps }) => name.startsWith('api_') && steps.every(({ http }) => http),
);

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
  let app: TriggerApp;

  beforeAll(async () => {
    const { file } = translateCentrifugo(read('config-main.json') as Record<string, unknown>, {});
    app = await TriggerApp.start(file);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('are there', () => {
    expect(scenarios.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['api_publish', 'api_auth', 'api_http_errors', 'api_legacy', 'api_batch']),
    );
  });

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, { steps }) => {
    const placeholders = new Placeholders();
    for (const { http, response } of steps) {
      if (http === undefined || response === undefined) continue;
      const answer = await fetch(app.url + http.path, {
        method: http.method,
        headers: http.headers,
        body: http.body === undefined ? null : placeholders.fill(http.body),
      });
      const body = await answer.text();
      // The list of nodes was too long to be recorded.
      const expected = response.body === '(cut)' ? body : response.body;
      placeholders.learn(expected, body);
      expect({
        request: `${http.method} ${http.path} ${http.body}`,
        status: answer.status,
        content_type: http.body === undefined ? null : answer.headers.get('content-type'),
        body,
      }).toEqual({
        request: `${http.method} ${http.path} ${http.body}`,
        status: response.status,
        content_type: response.content_type,
        body: placeholders.fill(expected),
      });
    }
  });
});
