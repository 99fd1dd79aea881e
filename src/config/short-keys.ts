import { apiKeyMinLength } from '../http/index.js';

type Keys = {
  readonly server: { readonly http: { readonly metricsKeys: readonly string[] } };
  readonly trigger: { readonly apiKeys: readonly string[] };
};

interface ShortKey {
  readonly code: 'custom';
  readonly path: string[];
  readonly message: string;
}

/**
 * Returns one issue for each setting with an API key that can be guessed. Whoever guesses one may push to everybody, so such a
 * configuration works only on a loopback address, for development.
 */
export function shortKeyIssues({ server, trigger }: Keys): ShortKey[] {
  const keys = { 'trigger.apiKeys': trigger.apiKeys, 'server.http.metricsKeys': server.http.metricsKeys };
  return Object.entries(keys).flatMap(([setting, values]) => {
    if (values.every(({ length }) => length >= apiKeyMinLength)) return [];
    return [
      {
        code: 'custom',
        path: setting.split('.'),
        message:
          `a key with fewer than ${apiKeyMinLength} characters can be guessed: use a longer one, for example of ` +
          '`openssl rand -hex 32`. Short keys work only if server.host is a loopback address',
      },
    ];
  });
}
