import { z } from 'zod';
import { isRegex } from '../../patterns/index.js';

const HOUR_MS = 3_600_000;

const on = (text: string) => z.boolean().default(false).describe(text);
const ms = z.number().int().min(0).default(0);
const proxyName = (call: string) =>
  z.string().min(1).default('default').describe(`Which of the named proxies takes the ${call} calls.`);

/** What is allowed and kept in the channels of one namespace. Everything is off until it is asked for. */
const shape = {
  presence: on('Keeps who is in the channel. Costs storage for each subscriber.'),
  joinLeave: on('Announces who comes and goes. Each announcement goes to all subscribers that want it.'),
  forcePushJoinLeave: on('Sends joins and leaves to every subscriber, asked for or not.'),
  historySize: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('How many of the last publications are kept. 0 keeps none; needs historyTtlMs.'),
  historyTtlMs: ms.describe('How long publications are kept after the last one, in ms. Needs historySize.'),
  historyMetaTtlMs: ms.describe(
    'How long offset and epoch are kept after the last use, in ms. 0 takes the value of all channels.',
  ),
  forcePositioning: on('Watches every subscription for lost publications.'),
  allowPositioning: on('Watches a subscription for lost publications where the client asks for it.'),
  forceRecovery: on('Sends what was missed to every client that comes back.'),
  allowRecovery: on('Sends what was missed to a client that comes back and asked for it.'),
  forceRecoveryMode: z
    .enum(['stream', 'cache'])
    .default('stream')
    .describe('What a client gets that comes back: all that it missed, or only the newest publication.'),
  autoCacheRecover: on('Sends the newest publication with every subscription, asked for or not.'),
  allowedDeltaTypes: z
    .array(z.literal('fossil'))
    .default([])
    .describe('Forms in which a client may ask for the difference from the publication before.'),
  deltaPublish: on('Sends differences where the publisher did not ask for it. Needs history.'),
  allowTagsFilter: on('Lets a client choose publications by their tags.'),
  allowSubscribeForClient: on('Lets clients subscribe without a token.'),
  allowSubscribeForAnonymous: on('Lets clients without a user id do so, too.'),
  allowPublishForClient: on('Lets clients publish.'),
  allowPublishForSubscriber: on('Lets the subscribers of the channel publish.'),
  allowPublishForAnonymous: on('Lets clients without a user id do so, too.'),
  allowPresenceForClient: on('Lets clients ask who is in the channel.'),
  allowPresenceForSubscriber: on('Lets the subscribers of the channel ask who is in it.'),
  allowPresenceForAnonymous: on('Lets clients without a user id do so, too.'),
  allowHistoryForClient: on('Lets clients read the history.'),
  allowHistoryForSubscriber: on('Lets the subscribers of the channel read its history.'),
  allowHistoryForAnonymous: on('Lets clients without a user id do so, too.'),
  allowUserLimitedChannels: on('Lets the users subscribe who are listed in the name behind the last #.'),
  channelRegex: z
    .string()
    .refine(isRegex, 'is no regular expression')
    .default('')
    .describe(
      'Regular expression (RE2 syntax) that the name has to match behind the namespace. Empty: all of it has to be ASCII.',
    ),
  publicationDataFormat: z
    .enum(['', 'json', 'json_object', 'binary'])
    .default('')
    .describe('What the data of a publication has to be. Empty: anything but nothing; binary: anything.'),
  subscribeProxyEnabled: on('Asks the backend whether a client may subscribe.'),
  subscribeProxyName: proxyName('subscribe'),
  publishProxyEnabled: on('Asks the backend whether a client may publish, and what.'),
  publishProxyName: proxyName('publish'),
  subRefreshProxyEnabled: on('Asks the backend whether a subscription that expires goes on.'),
  subRefreshProxyName: proxyName('subscription refresh'),
};

interface Kept {
  readonly historySize: number;
  readonly historyTtlMs: number;
}

/** Whether publications are kept at all. */
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
    complain('historyTtlMs', 'goes with historySize: set both or none');
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
      .describe('What the names of its channels begin with, before the first boundary.'),
    ...shape,
  })
  .superRefine(checkHistory);

const separator = (character: string, text: string) => z.string().min(1).default(character).describe(text);

export const channelsOptions = z.strictObject({
  withoutNamespace: channelOptions.prefault({}).describe('Options of the channels without a namespace.'),
  namespaces: z
    .array(namespace)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two have the same name')
    .default([])
    .describe('Namespaces with options of their own. A channel of any other is refused.'),
  maxLength: z.number().int().min(1).default(255).describe('Longest name of a channel, in bytes.'),
  historyMetaTtlMs: z
    .number()
    .int()
    .min(1)
    .default(720 * HOUR_MS)
    .describe('How long offset and epoch of a channel are kept after the last use, in ms.'),
  privatePrefix: separator('$', 'What a name begins with that needs a token. Not part of the namespace.'),
  namespaceBoundary: separator(':', 'What ends the namespace in a name.'),
  userBoundary: separator('#', 'What the list of users in a name follows, where it stands last.'),
  userSeparator: separator(',', 'What stands between two users of the list.'),
});

export type ChannelsOptions = z.infer<typeof channelsOptions>;

/** The names of all options of a namespace. */
export const channelOptionNames = Object.keys(shape) as readonly (keyof ChannelOptions)[];
