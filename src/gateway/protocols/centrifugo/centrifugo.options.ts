import { z } from 'zod';
import { ProtocolSettings } from '../protocol-settings.js';
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
        .positive()
        .default(perSecond)
        .describe(`Commands per second of ${whose}, in the long run. Others are answered with error 111.`),
      burst: count.default(burst).describe(`Commands of ${whose} that may come at once after a pause.`),
    })
    .prefault({});
}

const rates = z
  .strictObject({
    connection: rate('one connection', 200, 1_000),
    user: rate('all connections of one user on this process', 1_000, 10_000),
    address: rate('all connections from one address on this process', 10_000, 100_000),
  })
  .prefault({});

const personalChannel = z
  .strictObject({
    enabled: on('Subscribes every user who has an id to a channel of its own.'),
    namespace: z
      .string()
      .default('')
      .describe('Namespace of the personal channels: `chat` makes `chat:#user`. Empty: `#user`.'),
    singleConnection: on(
      'Closes the older connections of a user with 3504 when it connects again, on whichever process they are.',
    ),
  })
  .prefault({});

/** What clients of the Centrifugo protocol may do and how long they are waited for. The names are close to Centrifugo's. */
export const clientOptions = z
  .strictObject({
    tokens: tokensOptions.prefault({}),
    allowAnonymousConnectWithoutToken: on('Lets clients connect without a token, as nobody in particular.'),
    disallowAnonymousConnectionTokens: on('Refuses connection tokens without a user id, with 3507.'),
    insecure: on('Lets clients connect without a token and do anything. For development only.'),
    connectIncludeServerTime: on('Tells the time of this server in the answer to connect.'),
    staleCloseDelayMs: ms(10_000, 'How long a client may take to introduce itself (else 3502), in ms.'),
    expiredCloseDelayMs: ms(
      25_000,
      'How long a client may take to renew its token after the end of the old one (else 3005), in ms.',
    ),
    expiredSubCloseDelayMs: ms(
      25_000,
      'How long a client may take to renew the token of a subscription after its end, in ms.',
    ),
    presenceUpdateIntervalMs: ms(
      27_000,
      'How often a client is entered into the presence of its channels again, in ms.',
    ),
    presenceTtlMs: ms(
      60_000,
      'How long an entry in the presence stands that is not renewed, as after a crash, in ms.',
    ),
    channelPositionCheckDelayMs: ms(
      40_000,
      'How often the positions of subscriptions are compared with that of their channel, in ms.',
    ),
    subscribeTimeoutMs: ms(
      5_000,
      'How long connect and subscribe wait for the stores before they are answered with error 100, in ms.',
    ),
    channelLimit: count
      .default(128)
      .describe('Most channels of one connection. Beyond: error 106, or 3505 at connect.'),
    userConnectionLimit: atMost(
      0,
      'Most connections of one user on this process, as Centrifugo counts them on a node. Others are closed with 3504. 0: no limit.',
    ),
    historyMaxPublicationLimit: count
      .default(300)
      .describe('Most publications in the answer to one history request.'),
    recoveryMaxPublicationLimit: count
      .default(300)
      .describe('Most publications that a client that comes back is sent. One that missed more is told so.'),
    personalChannel,
    rates,
  })
  .refine(({ presenceUpdateIntervalMs, presenceTtlMs }) => presenceUpdateIntervalMs < presenceTtlMs, {
    path: ['presenceTtlMs'],
    message: 'must be more than presenceUpdateIntervalMs',
  })
  .prefault({});

/** Its setting key is older than the gateway's other protocols, and so it does not name this one. */
export const clientSettings = new ProtocolSettings('client', clientOptions);

export type ClientOptions = z.output<typeof clientOptions>;
