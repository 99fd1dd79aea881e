import { regex, type TextTest } from '../../patterns/index.js';
import { isReserved } from './address.js';
import { keepsHistory, type ChannelOptions, type ChannelsOptions } from './channel-options.js';

/** The options of a namespace, made ready for use. One object serves all of its channels. */
export interface ChannelRule {
  /** Empty for the channels without a namespace. */
  readonly namespace: string;
  readonly options: ChannelOptions;
  readonly keepsHistory: boolean;
  /** {@link ChannelOptions.historyMetaTtlMs}, or the value of all channels. */
  readonly historyMetaTtlMs: number;
  readonly nameFits: TextTest | undefined;
}

/** Why a channel cannot be used, in the order in which it is found out. */
export type ChannelFault = 'tooLong' | 'unknownNamespace' | 'badName';

/**
 * Reads channel names: `$` before a name means that a token is needed, the text before the first `:` is the namespace,
 * and the users that may subscribe can be listed behind the last `#`. The characters are options.
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
   * The rule for a channel that a client names, or why there is none. Its name has to match the expression of its namespace, or
   * to be ASCII.
   */
  findForClient(channel: string): ChannelRule | ChannelFault {
    const rule = this.find(channel);
    return typeof rule === 'string' || this.#fits(channel, rule) ? rule : 'badName';
  }

  /** The rule for a channel that a token, the server's API or a user's id names: any name will do but a reserved one. */
  find(channel: string): ChannelRule | ChannelFault {
    if (this.#isTooLong(channel)) return 'tooLong';
    const start = this.#namespaceStart(channel);
    const boundary = channel.indexOf(this.#options.namespaceBoundary, start);
    const rule =
      boundary <= start ? this.#withoutNamespace : this.#namespaces.get(channel.slice(start, boundary));
    if (rule === undefined) return 'unknownNamespace';
    return isReserved(channel) ? 'badName' : rule;
  }

  /** Only a token opens it. */
  isPrivate(channel: string): boolean {
    return channel.startsWith(this.#options.privatePrefix);
  }

  /** Only the users listed in its name may subscribe, and those with a token. */
  isUserLimited(channel: string, rule: ChannelRule): boolean {
    return rule.options.allowUserLimitedChannels && channel.includes(this.#options.userBoundary);
  }

  /** Whether the name of a user-limited channel lists the user. Nobody in particular is never listed. */
  lists(channel: string, user: string): boolean {
    const { userBoundary, userSeparator } = this.#options;
    const list = channel.slice(channel.lastIndexOf(userBoundary) + userBoundary.length);
    return user !== '' && list.split(userSeparator).includes(user);
  }

  /** The channel of a user alone, in a namespace or, where that is empty, in none. */
  personalChannel(namespace: string, user: string): string {
    const { namespaceBoundary, userBoundary } = this.#options;
    return `${namespace === '' ? '' : namespace + namespaceBoundary}${userBoundary}${user}`;
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
    // A UTF-16 unit makes at most three bytes.
    return channel.length * 3 > maxLength && Buffer.byteLength(channel) > maxLength;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
