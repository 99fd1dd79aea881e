import { z } from 'zod';
import { ProtocolSettings } from '../protocol-settings.js';
import { proxiesOptions } from '../../auth/proxies/proxies.options.js';
import { tokensOptions } from '../../auth/tokens/tokens.options.js';

const on = (text: string) => z.boolean().default(false).describe(text);
const ms = (byDefault: number, text: string) => z.number().int().min(1).default(byDefault).describe(text);
const atMost = (byDefault: number, text: string) => z.number().int().min(0).default(byDefault).describe(text);

const count = z.number().int().min(1);

function rate(whose: string, perSecond: number, burst: number) {
  return z
    .strictObject({
      perSecond: z
        .number()
        .min(0)
        .default(perSecond)
        .describe(`${whose} per second, on average. Further ones wait. 0: no limit.`),
      burst: count.default(burst).describe(`${whose} that may come at once after a pause.`),
    })
    .prefault({});
}

const rates = z
  .strictObject({
    connection: rate('Commands of one connection', 1_000, 5_000),
    refused: rate(
      'Refused commands of one connection (it is closed with 3509 after ten bursts without a pause)',
      100,
      500,
    ),
    user: rate('Commands of all connections of one user on this process', 1_000, 10_000),
    address: rate('Commands of all connections from one address on this process', 10_000, 100_000),
  })
  .prefault({});

const personalChannel = z
  .strictObject({
    enabled: on(
      'Subscribes every user with an id to its personal channel. Other users cannot subscribe to it or read it without a token ' +
        'for it, whatever the channel options allow.',
    ),
    namespace: z
      .string()
      .default('')
      .describe('Namespace of the personal channels: `chat` makes `chat:#user`. Empty: `#user`.'),
    singleConnection: on(
      'Closes the older connections of a user with 3504 when it connects again, on every process.',
    ),
  })
  .prefault({});

/** Settings for clients of the Centrifugo protocol. Their names are close to those of Centrifugo. */
export const clientOptions = z
  .strictObject({
    tokens: tokensOptions.prefault({}),
    allowAnonymousConnectWithoutToken: on('Lets clients connect without a token, as anonymous clients.'),
    disallowAnonymousConnectionTokens: on('Refuses connection tokens without a user id, with 3507.'),
    insecure: on('Lets clients connect without a token and do anything. For development only.'),
    connectIncludeServerTime: on('Adds the time of this server to the reply to connect.'),
    staleCloseDelayMs: ms(
      10_000,
      'How long a client may take to send its connect command, in ms. After that it is closed with 3502.',
    ),
    expiredCloseDelayMs: ms(
      25_000,
      'How long a client may take to refresh its token after it has expired, in ms. After that it is closed with 3005.',
    ),
    expiredSubCloseDelayMs: ms(
      25_000,
      'How long a client may take to refresh the token of a subscription after it has expired, in ms.',
    ),
    presenceUpdateIntervalMs: ms(
      27_000,
      'How often the presence of a client in its channels is renewed, in ms.',
    ),
    presenceTtlMs: ms(
      60_000,
      'How long a presence entry is kept if it is not renewed (after a crash), in ms.',
    ),
    channelPositionCheckDelayMs: ms(
      40_000,
      'How often the positions of subscriptions are compared with the position of their channel, in ms.',
    ),
    subscribeTimeoutMs: ms(
      5_000,
      'How long connect and subscribe wait for the stores, in ms. After that they fail with error 100.',
    ),
    channelLimit: count
      .default(128)
      .describe(
        'Maximum number of channels of a connection. More fail with error 106, or with 3505 at connect.',
      ),
    userConnectionLimit: atMost(
      0,
      'Maximum number of connections of a user on this process. Further ones are closed with 3504. 0: no limit.',
    ),
    historyMaxPublicationLimit: count
      .default(300)
      .describe('Maximum number of publications in the reply to a history request.'),
    recoveryMaxPublicationLimit: count
      .default(300)
      .describe(
        'Maximum number of publications that a client recovers. A client that missed more is notified.',
      ),
    personalChannel,
    rates,
    proxies: proxiesOptions,
  })
  .refine(({ presenceUpdateIntervalMs, presenceTtlMs }) => presenceUpdateIntervalMs < presenceTtlMs, {
    path: ['presenceTtlMs'],
    message: 'must be more than presenceUpdateIntervalMs',
  })
  .prefault({});

/** The key of the settings does not name the protocol, because it is older than the other protocols. */
export const clientSettings = new ProtocolSettings('client', clientOptions);

export type ClientOptions = z.output<typeof clientOptions>;
