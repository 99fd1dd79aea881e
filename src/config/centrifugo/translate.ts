import type { Environment } from '../variables.js';
import { didYouMean } from '../did-you-mean.js';
import type { Translation } from '../translation.js';
import { isTree, merge, removeAt, setAt, valueAt, type Tree } from '../tree.js';
import { channelOptionNames, translateChannelOptions } from './channel-options.js';
import { duration, flag, pingInterval } from './converters.js';
import { translateEngine } from './engine.js';
import { readNamespaceVariables, isNamespaceVariable } from './namespace-variables.js';
import { olderOptions, olderVersionFault } from './older-version.js';
import { counterparts, zeroMeansDefault } from './options.js';
import { proxyOptionNames, proxySections, translateProxies } from './proxies.js';
import { ignored, isSet, unsupported } from './unsupported.js';
import { readCentrifugoVariables } from './variables.js';

/**
 * Returns the defaults of Centrifugo that differ from ours: where it listens, and that it does not limit how much a client sends.
 * They are new objects each time, because other settings are written into them.
 */
function defaults(): Tree {
  return {
    server: { host: '0.0.0.0', port: 8000 },
    gateway: {
      limits: { inbound: { perSecond: 0 } },
      client: { rates: { connection: { perSecond: 0 }, user: { perSecond: 0 }, address: { perSecond: 0 } } },
    },
  };
}

const knownOptions = [...counterparts.keys(), ...unsupported.keys(), ...ignored, ...proxyOptionNames];

const theirNames = new Set([...knownOptions, 'engine', 'channel'].map((path) => path.split('.', 1)[0]!));

const WITHOUT_NAMESPACE = 'delivery.channels.withoutNamespace';
const NAMESPACES = 'delivery.channels.namespaces';

const knownChannelOptions = [...channelOptionNames.keys()];

/**
 * Translates a configuration file of Centrifugo 6, and variables with the names of Centrifugo, to our settings. A file may contain
 * our settings too, and they win.
 */
export function translateCentrifugo(file: Tree, variables: Environment): Translation {
  // Both products have a `log`: alone it does not identify the product.
  const isTheirs = Object.keys(file).some((name) => name !== 'log' && theirNames.has(name));
  const { values, unknown } = readCentrifugoVariables(variables);
  const older = olderOptions(file, (name) => theirNames.has(name));
  if (older.length > 0) return { ...NOTHING, file: {}, faults: [olderVersionFault(older)] };
  const hasNamespaces = Object.entries(variables).some(([name, text]) => text && isNamespaceVariable(name));
  const isConfigured = isTheirs || values.length > 0 || hasNamespaces;
  if (!isConfigured) return { ...NOTHING, file, notices: unknown };

  const translator = new Translator();
  const theirs = isTheirs ? structuredClone(pick(file, (name) => theirNames.has(name))) : {};
  const ours = isTheirs ? pick(file, (name) => !theirNames.has(name)) : file;
  for (const { path, value, variable } of values) {
    setAt(theirs, path, value);
    translator.setVariable(path.join('.'), `${variable} in the environment`);
  }
  if (hasNamespaces) translator.readNamespaces(theirs, variables);
  translator.translate(theirs);
  const translated = isTheirs ? merge(translator.settings, ours) : merge(ours, translator.settings);
  const { origins, implied, errors, faults } = translator;
  const notices = [...translator.notices, ...unknown];
  return { file: merge(defaults(), translated), notices, errors, faults, origins, implied };
}

const NOTHING = { notices: [], origins: new Map<string, string>(), implied: {} };

/** Collects our settings from a tree of Centrifugo's options. */
class Translator {
  readonly settings: Tree = {};
  readonly notices: string[] = [];
  /** Those of the notices that are about something that does not work. */
  readonly errors: string[] = [];
  readonly faults: string[] = [];
  /** How messages name the origin of each of our settings. */
  readonly origins = new Map<string, string>();
  implied: Readonly<Record<string, string>> = {};
  /** The variables that set options, by the names of the options. */
  readonly #variables = new Map<string, string>();
  /** The data format of channels whose namespace has none. */
  #defaultFormat: unknown;

  setVariable(theirs: string, variable: string): void {
    this.#variables.set(theirs, variable);
  }

  set(name: string, value: unknown): void {
    setAt(this.settings, name.split('.'), value);
  }

  translate(theirs: Tree): void {
    const { engine, ...rest } = theirs;
    if (isTree(engine)) {
      const { settings, implied, notices, errors } = translateEngine(engine);
      this.implied = implied;
      for (const [name, value] of settings) {
        this.set(name, value);
        this.origins.set(name, 'engine.redis');
      }
      this.notices.push(...notices);
      for (const error of errors) this.#error(error);
    }
    if (!isOn(rest, 'subscription_token')) removeAt(rest, ['client', 'subscription_token']);
    this.#takeProxies(rest);
    if (isTree(rest.channel)) this.#takeDefaultFormat(rest.channel);
    this.#walk(rest, []);
  }

  /** Puts the namespaces of variables in the place of those of the file. */
  readNamespaces(theirs: Tree, variables: Environment): void {
    const inFile = valueAt(theirs, ['channel', 'namespaces']);
    const { namespaces, faults, unknown } = readNamespaceVariables(
      variables,
      Array.isArray(inFile) ? inFile : [],
    );
    setAt(theirs, ['channel', 'namespaces'], namespaces);
    this.faults.push(...faults);
    this.notices.push(...unknown);
  }

  #error(message: string): void {
    this.#report(message, true);
  }

  #report(message: string, breaks: boolean): void {
    this.notices.push(message);
    if (breaks) this.errors.push(message);
  }

  #takeProxies(theirs: Tree): void {
    const { settings, origins, notices, errors } = translateProxies(theirs);
    for (const [name, value] of settings) this.set(name, value);
    for (const [name, origin] of origins) this.origins.set(name, origin);
    this.notices.push(...notices);
    this.errors.push(...errors);
    for (const section of proxySections) removeAt(theirs, section);
  }

  #takeDefaultFormat(channel: Tree): void {
    const { publication_data_format: format, without_namespace: without } = channel;
    delete channel.publication_data_format;
    if (!isSet(format)) return;
    this.#defaultFormat = format;
    if (!isTree(without)) channel.without_namespace = {};
  }

  #walk(node: Tree, path: readonly string[]): void {
    for (const [key, value] of Object.entries(node)) {
      const theirs = [...path, key].join('.');
      if (ignored.has(theirs)) continue;
      const notSupported = unsupported.get(theirs);
      if (notSupported !== undefined) {
        const { isInUse, instead, breaks } = notSupported;
        if (isInUse(value)) this.#report(`${theirs} is not supported: ${instead}`, breaks);
      } else if (theirs === 'channel.without_namespace' && isTree(value)) {
        const type: unknown = value.subscription_type || 'stream';
        if (type !== 'stream')
          this.faults.push(`${theirs}: subscription_type ${String(type)} is not supported: use stream`);
        this.set(WITHOUT_NAMESPACE, this.#channelOptions(value, theirs, WITHOUT_NAMESPACE));
      } else if (theirs === 'channel.namespaces' && Array.isArray(value)) {
        this.#takeNamespaces(value);
      } else if (counterparts.has(theirs)) this.#take(theirs, value);
      else if (isTree(value)) this.#walk(value, [...path, key]);
      else this.notices.push(`${theirs} is unknown and was ignored${didYouMean(theirs, knownOptions)}`);
    }
  }

  #take(theirs: string, value: unknown): void {
    const { ours, convert } = counterparts.get(theirs)!;
    const converted = convert(value);
    const isDefault = value === '' || value === null || (converted === 0 && zeroMeansDefault.has(theirs));
    if (isDefault && theirs !== 'http_server.address') return;
    if (convert === pingInterval && converted !== duration(value))
      this.notices.push(`${theirs} ${String(value)}: pings cannot be turned off, so clients get one a day`);
    this.set(ours, converted);
    const origin = this.#variables.get(theirs) ?? theirs;
    const isNoDuration = (convert === duration || convert === pingInterval) && typeof converted !== 'number';
    this.origins.set(ours, isNoDuration ? `${origin}, which takes a duration such as 25s` : origin);
  }

  /** Leaves out namespaces that are not streams. Their channels are refused, instead of behaving differently. */
  #takeNamespaces(namespaces: readonly unknown[]): void {
    const taken: unknown[] = [];
    for (const each of namespaces) {
      const where = isTree(each) ? `namespace ${String(each.name)}` : '';
      const type: unknown = (isTree(each) && each.subscription_type) || 'stream';
      if (type !== 'stream')
        this.#error(`${where}: subscription_type ${String(type)} is not supported: its channels are refused`);
      else if (isTree(each)) taken.push(this.#channelOptions(each, where, `${NAMESPACES}.${taken.length}`));
      else taken.push(each);
    }
    this.set(NAMESPACES, taken);
  }

  /** @param ours the dotted name of the section that the options are translated to */
  #channelOptions(theirs: Tree, where: string, ours: string): Tree {
    const { options, unsupported: notSupported, ineffective, unknown } = translateChannelOptions(theirs);
    for (const key of notSupported) this.#error(`${where}: ${key} is not supported`);
    for (const key of ineffective) this.notices.push(`${where}: ${key} has no effect without a history`);
    for (const key of unknown)
      this.notices.push(`${where}: ${key} is unknown and was ignored${didYouMean(key, knownChannelOptions)}`);
    for (const [key, name] of channelOptionNames) this.origins.set(`${ours}.${name}`, `${where}: ${key}`);
    const { publicationDataFormat: own } = options;
    return isSet(this.#defaultFormat) && !isSet(own)
      ? { ...options, publicationDataFormat: this.#defaultFormat }
      : { ...options };
  }
}

function isOn(theirs: Tree, name: string): boolean {
  const { client } = theirs;
  const block = isTree(client) ? client[name] : undefined;
  return isTree(block) && flag(block.enabled) === true;
}

function pick(tree: Tree, isWanted: (name: string) => boolean): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => isWanted(name)));
}
