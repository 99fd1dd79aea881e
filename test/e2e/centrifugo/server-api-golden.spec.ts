/** Replays exchanges with the server API of Centrifugo that need no WebSocket. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CentrifugoApp } from '../../support/centrifugo-app.js';
import { scenariosOverHttp } from '../../support/golden-scenarios.js';

/** Text with placeholders. Each placeholder stands for the same text at every place. */
class Placeholders {
  readonly #values = new Map<string, string>();

  fill(text: string): string {
    return text.replaceAll(/\{\{\w+\}\}/g, (name) => this.#values.get(name) ?? name);
  }

  /** Reads the values of new placeholders from the actual text. */
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
      // Carillon accepts the key in this form too, as /trigger does: the specifications in server-api.spec.ts cover it.
      if (http.headers.Authorization === 'Bearer api-key') continue;
      // The list of nodes was too long to record.
      const expected = response.body === '(cut)' ? body : response.body;
      placeholders.learn(expected, body);
      expect({
        request: `${http.method} ${http.path} ${http.body}`,
        status: answer.status,
        // JSON is UTF-8, with or without a charset.
        content_type: answer.headers.get('content-type')?.replace('json; charset=utf-8', 'json') ?? null,
        body,
      }).toEqual({
        request: `${http.method} ${http.path} ${http.body}`,
        status: response.status,
        content_type: response.content_type,
        body: placeholders.fill(expected),
      });
    }
  });

  it('api_info reports everything that Centrifugo reports about a node', async () => {
    const [recorded] = scenariosOverHttp().filter(({ name }) => name === 'api_info');
    const { result } = recorded!.steps[0]!.response!.json as { result: NodeList };
    const { nodes } = (await app.api('info', {})) as NodeList;
    expect(nodes).toEqual([expect.objectContaining(anyOf(result.nodes[0]!))]);
    expect(nodes[0]).toMatchObject({
      num_clients: 0,
      metrics: { interval: expect.any(Number), items: { carillon_broker_up: expect.any(Number) } },
    });
  });
});

interface NodeList {
  readonly nodes: readonly object[];
}

/** Matches an object that has all of the names. */
function anyOf(object: object): object {
  return Object.fromEntries(Object.keys(object).map((name) => [name, expect.anything()]));
}
