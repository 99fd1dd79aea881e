/**
 * npm run brokers                         runs Kafka, Pulsar and Redis until Ctrl-C
 * npm run brokers -- --only redis,kafka   runs some of them
 * npm run brokers -- stop                 stops what a killed run left behind
 */
import { parseArgs } from 'node:util';
import { type BrokerKind, brokerKinds, environmentOf } from './broker.ts';
import { clearLeftovers } from './leftovers.ts';
import { provide, type ProvidedBroker } from './provide.ts';

/** Fixed ports, so that the exported variables stay valid. They differ from the usual ones, which may be in use. */
const ports = {
  kafka: { port: 19_092 },
  pulsar: { port: 16_650, webPort: 18_080 },
  redis: { port: 16_379 },
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string' } },
    allowPositionals: true,
  });
  const [command = 'start', ...rest] = positionals;
  if (rest.length > 0 || !['start', 'stop'].includes(command))
    throw new Error(`unknown command: ${positionals.join(' ')}`);
  const cleared = await clearLeftovers();
  if (command === 'stop') {
    process.stdout.write(cleared.length === 0 ? 'nothing left to stop\n' : `stopped ${cleared.join(', ')}\n`);
    return;
  }
  await run(values.only === undefined ? brokerKinds : parseKinds(values.only));
}

async function run(kinds: readonly BrokerKind[]): Promise<void> {
  // Under npm, Ctrl-C arrives twice: from the terminal and from npm.
  const interrupted = new Promise<void>((resolve) => {
    process.on('SIGINT', resolve);
    process.on('SIGTERM', resolve);
  });
  const starting = kinds.map((kind) => provide(kind, ports[kind]));
  const settled = Promise.allSettled(starting);
  const started = await Promise.race([settled, interrupted.then(() => undefined)]);
  const failure = started?.find((outcome) => outcome.status === 'rejected');
  if (started !== undefined && failure === undefined) {
    process.stdout.write(announce(await Promise.all(starting)));
    // A child keeps this process alive. A container or an external broker does not.
    const awake = setInterval(() => undefined, 60_000);
    await interrupted;
    clearInterval(awake);
  }
  process.stderr.write('stopping the brokers\n');
  const outcomes = await settled;
  await Promise.all(
    outcomes.map(async (outcome) => outcome.status === 'fulfilled' && outcome.value.dispose()),
  );
  if (failure !== undefined) throw failure.reason;
}

/** Returns the variables to export. It omits those in the environment, because they may have a token or a password. */
function announce(brokers: readonly ProvidedBroker[]): string {
  const sources = {
    environment: 'external, from the environment',
    docker: 'in a container',
    local: 'on this machine',
  };
  const comments = brokers.map(({ address, from }) => `# ${address.kind}: ${sources[from]}\n`).join('');
  const assignments = brokers
    .filter(({ from }) => from !== 'environment')
    .flatMap(({ address }) => Object.entries(environmentOf(address)))
    .map(([name, value]) => `${name}='${value}'`);
  if (assignments.length === 0) return `${comments}# Nothing was started. Ctrl-C ends this.\n`;
  return `${comments}# Ctrl-C stops what was started. In another shell:\nexport ${assignments.join(' ')}\n`;
}

function parseKinds(list: string): BrokerKind[] {
  return list.split(',').map((name) => {
    const kind = brokerKinds.find((known) => known === name.trim());
    if (kind === undefined)
      throw new Error(`unknown broker ${name}; the brokers are ${brokerKinds.join(', ')}`);
    return kind;
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
