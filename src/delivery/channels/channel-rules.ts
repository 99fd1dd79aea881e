import { regex, type TextTest } from '../../patterns/index.js';
import { isReserved } from './address.js';
import { keepsHistory, type ChannelOptions, type ChannelsOptions } from './channel-options.js';

/** The options of a namespace, prepared for use. All channels of the namespace share one object. */
export interface ChannelRule {
  /** Empty for the channels without a namespace. */
  readonly namespace: string;
  readonly options: ChannelOptions;
  readonly keepsHistory: boolean;
  /** {@link ChannelOptions.historyMetaTtlMs}, or the value of all channels. */
  readonly historyMetaTtlMs: number;
  readonly nameFits: TextTest | undefined;
}

/** Whether every user with an id has a personal channel, and in which namespace. */
export interface PersonalChannelOptions {
  readonly enabled: boolean;
  /** Empty for the channels without a namespace. */
  readonly namespace: string;
}

/** Why a channel cannot be used, in the order of the checks. */
export type ChannelFault = 'tooLong' | 'unknownNamespace' | 'badName';

/**
 * Parses channel names. A leading `$` means that a token is needed, the text before the first `:` is the namespace, and the text
 * after the last `#` may list the users that may subscribe. The characters can be configured.
 */
export class ChannelRules {
  readonly #options: ChannelsOptions;
  readonly #withoutNamespace: ChannelRule;
  readonly #namespaces: ReadonlyMap<string, ChannelRule>;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    const rule = (namespace: string, of: ChannelOptions): ChannelRule => ({
      namespace,
      options: of,
      keepsHistory: keepsHistory(of),
      historyMetaTtlMs: of.historyMetaTtlMs || options.historyMetaTtlMs,
      nameFits: of.channelRegex === '' ? undefined : regex(of.channelRegex),
    });
    this.#withoutNamespace = rule('', options.withoutNamespace);
    this.#namespaces = new Map(options.namespaces.map(({ name, ...of }) => [name, rule(name, of)]));
  }

  /**
   * Returns the rule of a channel that a client names, or why it cannot be used. The name has to match the regular expression of its
   * namespace. Without one it has to be ASCII.
   */
  findForClient(channel: string): ChannelRule | ChannelFault {
    const rule = this.find(channel);
    return typeof rule === 'string' || this.#fits(channel, rule) ? rule : 'badName';
  }

  /** Returns the rule of a channel that the server names (in a token or its API). Only reserved names cannot be used. */
  find(channel: string): ChannelRule | ChannelFault {
    if (this.#isTooLong(channel)) return 'tooLong';
    const start = this.#namespaceStart(channel);
    const boundary = channel.indexOf(this.#options.namespaceBoundary, start);
    const rule =
      boundary <= start ? this.#withoutNamespace : this.#namespaces.get(channel.slice(start, boundary));
    if (rule === undefined) return 'unknownNamespace';
    return isReserved(channel) ? 'badName' : rule;
  }

  /** Returns the rule of every namespace, and that of the channels without one. */
  all(): readonly ChannelRule[] {
    return [this.#withoutNamespace, ...this.#namespaces.values()];
  }

  /** Returns the format of the data that may be published in a channel, or for a target that is not a channel. */
  dataFormatOf(channel: string): ChannelOptions['publicationDataFormat'] {
    const rule = this.find(channel);
    return typeof rule === 'object' ? rule.options.publicationDataFormat : '';
  }

  /** Whether only clients with a token may subscribe. */
  isPrivate(channel: string): boolean {
    return channel.startsWith(this.#options.privatePrefix);
  }

  /** Whether only the users in its name, and clients with a token, may subscribe. */
  isUserLimited(channel: string, rule: ChannelRule): boolean {
    return rule.options.allowUserLimitedChannels && channel.includes(this.#options.userBoundary);
  }

  /** Whether the name of a user-limited channel lists the user. An anonymous user is never listed. */
  lists(channel: string, user: string): boolean {
    const { userBoundary, userSeparator } = this.#options;
    const list = channel.slice(channel.lastIndexOf(userBoundary) + userBoundary.length);
    return user !== '' && list.split(userSeparator).includes(user);
  }

  /** Returns the personal channel of a user. An empty namespace means none. */
  personalChannel(namespace: string, user: string): string {
    const { namespaceBoundary, userBoundary } = this.#options;
    return `${namespace === '' ? '' : namespace + namespaceBoundary}${userBoundary}${user}`;
  }

  /**
   * Whether a channel is the personal channel of another user. The whole rest of the name is the id of that user, even if it has a
   * separator in it: otherwise the user `alice` could read what is for the user `bob,alice`.
   */
  isPersonalOfOther(channel: string, user: string, { enabled, namespace }: PersonalChannelOptions): boolean {
    if (!enabled || !channel.startsWith(this.personalChannel(namespace, ''))) return false;
    return user === '' || channel !== this.personalChannel(namespace, user);
  }

  #fits(channel: string, { nameFits }: ChannelRule): boolean {
    if (nameFits === undefined) return isAscii(channel);
    const { namespaceBoundary } = this.#options;
    const boundary = channel.indexOf(namespaceBoundary, this.#namespaceStart(channel));
    return nameFits(boundary < 0 ? channel : channel.slice(boundary + namespaceBoundary.length));
  }

  #namespaceStart(channel: string): number {
    return this.isPrivate(channel) ? this.#options.privatePrefix.length : 0;
  }

  #isTooLong(channel: string): boolean {
    const { maxLength } = this.#options;
    if (channel.length > maxLength) return true;
    // A UTF-16 code unit takes at most three bytes in UTF-8.
    return channel.length * 3 > maxLength && Buffer.byteLength(channel) > maxLength;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
