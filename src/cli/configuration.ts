import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readConfig } from '../config/config.js';
import { CommandError } from './cli.errors.js';

const SECRET_BYTES = 32;

/** What a newcomer tries out: presence, and the latest publications of five minutes. */
const CHANNELS = { allowSubscribeForClient: true, presence: true, historySize: 100, historyTtlMs: 300_000 };

/** `carillon genconfig [FILE]`: writes a first configuration with new secrets. It does not overwrite a file. */
export function genconfig(argv: readonly string[]): void {
  const [file = 'carillon.json'] = argv;
  const configuration = {
    trigger: { apiKeys: [secret()] },
    gateway: { allowedOrigins: [], client: { tokens: { connection: { hmacSecretKey: secret() } } } },
    delivery: { channels: { withoutNamespace: CHANNELS, namespaces: [] } },
  };
  try {
    writeFileSync(file, `${JSON.stringify(configuration, undefined, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new CommandError(
      code === 'EEXIST' ? `${file} already exists: name another file` : `cannot write ${file} (${code})`,
      {
        cause,
      },
    );
  }
  process.stdout.write(`wrote ${file}. Start the server with: npm start -- --config ${file}\n`);
}

/**
 * `carillon checkconfig [--config FILE]`, or `carillon check`: reads the configuration like a start of the server, and reports what is
 * wrong with it.
 */
export function checkconfig(argv: readonly string[]): void {
  const { config, notices, errors } = readConfig(argv);
  for (const notice of notices)
    process.stdout.write(`${errors.includes(notice) ? 'error' : 'note'}: ${notice}\n`);
  // Not a notice: at a start it would only repeat what the configuration says.
  if (config.gateway.limits.inbound.perSecond === 0)
    process.stdout.write(
      'note: clients may send any number of messages, as in Centrifugo: set gateway.limits.inbound and gateway.client.rates to slow them down\n',
    );
  if (errors.length > 0)
    throw new CommandError(
      'the server starts with this configuration, but what the errors above name does not work',
    );
  process.stdout.write('the configuration is valid\n');
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
