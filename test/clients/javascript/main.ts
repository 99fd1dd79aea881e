/**
 * Runs centrifuge-js. Reads commands from standard input and writes replies and events to standard output, as JSON lines.
 * `client-program.ts` describes them.
 */
import { createInterface } from 'node:readline';
import {
  Centrifuge,
  UnauthorizedError,
  type ClientInfo,
  type HistoryResult,
  type Options,
  type SubscribedContext,
  type Subscription,
} from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import type { ClientCommand, ClientSettings } from '../client-program.ts';

const { url, protocol, tokens } = JSON.parse(process.argv[2] ?? '') as ClientSettings;
const isBinary = protocol === 'protobuf';
const options: Partial<Options> = tokens.length > 0 ? { getToken: tokenSource(tokens) } : {};
const Client = isBinary ? (ProtobufCentrifuge as unknown as typeof Centrifuge) : Centrifuge;
const client = new Client(url, options);

client
  .on('connecting', ({ code, reason }) => print({ event: 'connecting', code, reason }))
  .on('connected', (context) => print({ event: 'connected', client: context.client }))
  .on('disconnected', ({ code, reason }) => print({ event: 'disconnected', code, reason }))
  .on('error', ({ error }) => print({ event: 'error', message: error.message }))
  .on('subscribed', (context) => printSubscribed(context.channel, context))
  .on('unsubscribed', ({ channel }) => print({ event: 'unsubscribed', channel }))
  .on('publication', (context) =>
    print({ event: 'publication', channel: context.channel, ...fromPublication(context) }),
  )
  .on('join', ({ channel, info }) => print({ event: 'join', channel, ...fromInfo(info) }))
  .on('leave', ({ channel, info }) => print({ event: 'leave', channel, ...fromInfo(info) }));

for await (const line of createInterface(process.stdin))
  void execute(JSON.parse(line) as ClientCommand & { readonly id: number });
client.disconnect();

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function printSubscribed(
  channel: string,
  { wasRecovering, recovered, streamPosition }: SubscribedContext,
): void {
  print({ event: 'subscribed', channel, wasRecovering, recovered, epoch: streamPosition?.epoch });
}

/** Returns a function that returns the next token at each call, as an application's backend does, and reports the call. */
function tokenSource(given: readonly string[], channel?: string): () => Promise<string> {
  const rest = [...given];
  return () => {
    print({ event: 'token', channel });
    const token = rest.shift();
    return token === undefined ? Promise.reject(new UnauthorizedError('')) : Promise.resolve(token);
  };
}

async function execute({ id, ...command }: ClientCommand & { readonly id: number }): Promise<void> {
  try {
    print({ reply: id, result: (await run(command)) ?? {} });
  } catch (error) {
    const { code = 0, message } = error as { code?: number; message: string };
    print({ reply: id, error: { code, message } });
  }
}

async function run(command: ClientCommand): Promise<object | void> {
  switch (command.do) {
    case 'connect':
      return client.connect();
    case 'disconnect':
      return client.disconnect();
    case 'subscribe':
      return (
        client.getSubscription(command.channel) ?? subscriptionTo(command.channel, command.tokens)
      ).subscribe();
    case 'unsubscribe':
      return client.getSubscription(command.channel)?.unsubscribe();
    case 'publish':
      return client.publish(command.channel, encode(command.data));
    case 'presence': {
      const { clients } = await client.presence(command.channel);
      return {
        clients: Object.fromEntries(Object.entries(clients).map(([id, info]) => [id, fromInfo(info)])),
      };
    }
    case 'presenceStats': {
      const { numClients, numUsers } = await client.presenceStats(command.channel);
      return { clients: numClients, users: numUsers };
    }
    case 'history': {
      const { channel, do: _, ...range } = command;
      const { publications, offset, epoch } = await client.history(channel, range);
      return { publications: publications.map(fromPublication), offset, epoch };
    }
    case 'rpc':
      return { data: decode((await client.rpc(command.method, encode(command.data))).data) };
    case 'batch':
      client.startBatching();
      const all = command.commands.map(execute);
      client.stopBatching();
      await Promise.all(all);
  }
}

function subscriptionTo(channel: string, given: readonly string[] = []): Subscription {
  return client
    .newSubscription(channel, {
      joinLeave: true,
      ...(given.length > 0 ? { getToken: tokenSource(given, channel) } : {}),
    })
    .on('subscribing', ({ code, reason }) => print({ event: 'subscribing', channel, code, reason }))
    .on('subscribed', (context) => printSubscribed(channel, context))
    .on('unsubscribed', ({ code, reason }) => print({ event: 'unsubscribed', channel, code, reason }))
    .on('error', ({ error }) => print({ event: 'error', channel, message: error.message }))
    .on('publication', (publication) =>
      print({ event: 'publication', channel, ...fromPublication(publication) }),
    )
    .on('join', ({ info }) => print({ event: 'join', channel, ...fromInfo(info) }))
    .on('leave', ({ info }) => print({ event: 'leave', channel, ...fromInfo(info) }));
}

function encode(value: unknown): unknown {
  if (!isBinary) return value;
  const { base64 } = (value ?? {}) as { base64?: string };
  return base64 === undefined ? Buffer.from(JSON.stringify(value)) : Buffer.from(base64, 'base64');
}

function decode(data: unknown): unknown {
  if (!(data instanceof Uint8Array)) return data;
  if (data.length === 0) return null;
  try {
    return JSON.parse(Buffer.from(data).toString());
  } catch {
    return { base64: Buffer.from(data).toString('base64') };
  }
}

function fromPublication({ data, offset, tags, info }: HistoryResult['publications'][number]): object {
  return { data: decode(data), offset, tags, ...(info ? { info: fromInfo(info) } : {}) };
}

function fromInfo({ client: id, user, connInfo, chanInfo }: ClientInfo): object {
  return { client: id, user, connInfo: decode(connInfo), chanInfo: decode(chanInfo) };
}
