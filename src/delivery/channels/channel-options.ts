import { z } from 'zod';
import { isRegex } from '../../patterns/index.js';

const HOUR_MS = 3_600_000;

const on = (text: string) => z.boolean().default(false).describe(text);
const ms = z.number().int().min(0).default(0);

const proxyName = (step: string) =>
  z
    .string()
    .default('default')
    .describe(`Name of the proxy in gateway.client.proxies. \`default\`: \`${step}\`.`);

/** The options of the channels of one namespace. Everything is off by default. */
const shape = {
  presence: on('Keeps a list of the clients in the channel. Costs storage for each subscriber.'),
  joinLeave: on('Publishes a join and a leave for each subscriber, to all subscribers that want them.'),
  forcePushJoinLeave: on(
    'Sends joins and leaves to every subscriber, even if the client did not request them.',
  ),
  historySize: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('How many publications are kept. 0: none. Needs historyTtlMs.'),
  historyTtlMs: ms.describe('How long publications are kept after the latest one, in ms. Needs historySize.'),
  historyMetaTtlMs: ms.describe(
    'How long offset and epoch are kept after the last use, in ms. 0: the value for all channels.',
  ),
  forcePositioning: on('Checks every subscription for lost publications.'),
  allowPositioning: on('Checks a subscription for lost publications if the client requests it.'),
  forceRecovery: on('Sends missed publications to every client that reconnects.'),
  allowRecovery: on('Sends missed publications to a client that reconnects, if it requests them.'),
  forceRecoveryMode: z
    .enum(['stream', 'cache'])
    .default('stream')
    .describe('What a client that reconnects receives: all missed publications, or only the latest one.'),
  autoCacheRecover: on(
    'Sends the latest publication with every subscription, even if the client did not request it.',
  ),
  allowedDeltaTypes: z
    .array(z.literal('fossil'))
    .default([])
    .describe(
      'Delta formats that clients may request. A delta is the difference from the previous publication.',
    ),
  deltaPublish: on('Sends deltas even if the publisher did not request them. Needs history.'),
  allowTagsFilter: on('Lets clients filter publications by tags.'),
  allowSubscribeForClient: on('Lets clients subscribe without a token.'),
  allowSubscribeForAnonymous: on('Lets clients without a user id subscribe too, if clients may.'),
  allowPublishForClient: on('Lets clients publish.'),
  allowPublishForSubscriber: on('Lets subscribers of the channel publish.'),
  allowPublishForAnonymous: on('Lets clients without a user id publish too, if clients or subscribers may.'),
  allowPresenceForClient: on('Lets clients read the presence.'),
  allowPresenceForSubscriber: on('Lets subscribers of the channel read its presence.'),
  allowPresenceForAnonymous: on(
    'Lets clients without a user id read the presence too, if clients or subscribers may.',
  ),
  allowHistoryForClient: on('Lets clients read the history.'),
  allowHistoryForSubscriber: on('Lets subscribers of the channel read its history.'),
  allowHistoryForAnonymous: on(
    'Lets clients without a user id read the history too, if clients or subscribers may.',
  ),
  allowUserLimitedChannels: on('Lets the users subscribe that the name lists after its last #.'),
  channelRegex: z
    .string()
    .refine(isRegex, 'is not a regular expression')
    .default('')
    .describe(
      'Regular expression (RE2 syntax) that the name after the namespace must match. Empty: the whole name must be ASCII.',
    ),
  publicationDataFormat: z
    .enum(['', 'json', 'json_object', 'binary'])
    .default('')
    .describe('Format of the data of publications. Empty: any data that is not empty. binary: any data.'),
  subscribeProxyEnabled: on('Leaves it to a backend whether a client may subscribe without a token.'),
  subscribeProxyName: proxyName('subscribe'),
  publishProxyEnabled: on('Leaves it to a backend whether a client may publish.'),
  publishProxyName: proxyName('publish'),
  subRefreshProxyEnabled: on(
    'Lets a backend renew subscriptions that expire. Clients do not do it then, and are not told when they expire.',
  ),
  subRefreshProxyName: proxyName('subRefresh'),
};

interface Kept {
  readonly historySize: number;
  readonly historyTtlMs: number;
}

/** Whether the options keep publications. */
export function keepsHistory({ historySize, historyTtlMs }: Kept): boolean {
  return historySize > 0 && historyTtlMs > 0;
}

const needHistory = ['forcePositioning', 'forceRecovery', 'deltaPublish', 'autoCacheRecover'] as const;

function checkHistory(
  options: Kept & Record<(typeof needHistory)[number], boolean>,
  context: z.RefinementCtx,
): void {
  const complain = (path: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message });
  if (options.historySize > 0 !== options.historyTtlMs > 0) {
    complain('historyTtlMs', 'needs historySize: set both or none');
  } else if (!keepsHistory(options)) {
    for (const name of needHistory) if (options[name]) complain(name, 'needs historySize and historyTtlMs');
  }
}

export const channelOptions = z.strictObject(shape).superRefine(checkHistory);

export type ChannelOptions = z.infer<typeof channelOptions>;

const namespace = z
  .strictObject({
    name: z
      .string()
      .regex(/^[-a-zA-Z0-9_.]+$/)
      .describe('Name of the namespace: the channel name before the first boundary.'),
    ...shape,
  })
  .superRefine(checkHistory);

const separator = (character: string, text: string) => z.string().min(1).default(character).describe(text);

export const channelsOptions = z.strictObject({
  withoutNamespace: channelOptions.prefault({}).describe('Options of the channels without a namespace.'),
  namespaces: z
    .array(namespace)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'must have different names')
    .default([])
    .describe('Namespaces with their own options. Channels of other namespaces are refused.'),
  maxLength: z.number().int().min(1).default(255).describe('Maximum length of a channel name, in bytes.'),
  historyMetaTtlMs: z
    .number()
    .int()
    .min(1)
    .default(720 * HOUR_MS)
    .describe('How long offset and epoch of a channel are kept after the last use, in ms.'),
  privatePrefix: separator(
    '$',
    'Prefix of channel names that need a token. It is not part of the namespace.',
  ),
  namespaceBoundary: separator(':', 'Separator between the namespace and the rest of the name.'),
  userBoundary: separator('#', 'Separator before the list of users at the end of a name.'),
  userSeparator: separator(',', 'Separator between the users of the list.'),
});

export type ChannelsOptions = z.infer<typeof channelsOptions>;

/** The names of all options of a namespace. */
export const channelOptionNames = Object.keys(shape) as readonly (keyof ChannelOptions)[];
