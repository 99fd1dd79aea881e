import { didYouMean } from '../did-you-mean.js';
import { isTree, valueAt, type Tree } from '../tree.js';
import { duration, flag, list, text, type Convert } from './converters.js';

/** The sections that are translated here, and not option by option. */
export const proxySections: readonly (readonly string[])[] = [
  ['client', 'proxy'],
  ['channel', 'proxy'],
  ['proxies'],
  ['rpc'],
];

/** The default proxies: where they are, our name, and whether they have to be enabled. */
const places: readonly (readonly [path: readonly string[], ours: string, isSwitched: boolean])[] = [
  [['client', 'proxy', 'connect'], 'connect', true],
  [['client', 'proxy', 'refresh'], 'refresh', true],
  [['channel', 'proxy', 'subscribe'], 'subscribe', false],
  [['channel', 'proxy', 'publish'], 'publish', false],
  [['channel', 'proxy', 'sub_refresh'], 'subRefresh', false],
  [['rpc', 'proxy'], 'rpc', false],
];

const asTree: Convert = (value) => parsed(value);

const endpoint: Convert = (value) =>
  // Centrifugo takes everything that is not HTTP for the address of a gRPC server.
  typeof value === 'string' && value !== '' && !value.includes('://') ? `grpc://${value}` : value;

const transforms: Convert = (value) => {
  const given = parsed(value);
  return Array.isArray(given) ? given.flatMap(transform) : given;
};

/** Options of a proxy that have a counterpart, by their names in Centrifugo. */
const options: ReadonlyMap<string, readonly [ours: string, convert: Convert]> = new Map([
  ['endpoint', ['endpoint', endpoint]],
  ['timeout', ['timeoutMs', duration]],
  ['http_headers', ['httpHeaders', list]],
  ['emulated_headers', ['emulatedHeaders', list]],
  ['binary_encoding', ['binaryEncoding', flag]],
  ['include_connection_meta', ['includeConnectionMeta', flag]],
  ['http.static_headers', ['staticHeaders', asTree]],
  ['http.status_to_code_transforms', ['statusToCodeTransforms', transforms]],
]);

/** The options of TLS in `http.tls` and `grpc.tls`. */
const tlsOptions: ReadonlyMap<string, readonly [ours: string, convert: Convert]> = new Map([
  ['server_ca_pem', ['ca', text]],
  ['cert_pem', ['cert', text]],
  ['key_pem', ['key', text]],
  ['server_name', ['serverName', text]],
  ['insecure_skip_verify', ['insecureSkipVerify', flag]],
]);

/** Options that mean nothing here: those of other transports of clients, and of servers. */
const withoutMeaning: readonly string[] = [
  'name',
  'enabled',
  'grpc_metadata',
  ...['http', 'grpc'].flatMap((kind) => [`${kind}.tls.enabled`, `${kind}.tls.client_ca_pem`]),
  'grpc.credentials_key',
  'grpc.credentials_value',
  'grpc.compression',
];

const known = [
  ...options.keys(),
  ...withoutMeaning,
  ...['http', 'grpc'].flatMap((kind) => [...tlsOptions.keys()].map((name) => `${kind}.tls.${name}`)),
];

/** The dotted names of all options that variables may set. */
export const proxyOptionNames: readonly string[] = [
  ...places.flatMap(([path]) => known.map((name) => `${path.join('.')}.${name}`)),
  'proxies',
  'rpc.without_namespace.proxy_enabled',
  'rpc.without_namespace.proxy_name',
  'rpc.namespaces',
  'rpc.namespace_boundary',
  'rpc.ping.enabled',
  'rpc.ping.method',
];

const OURS = 'gateway.client.proxies';

export interface TranslatedProxies {
  /** Our settings by their dotted names. A value that cannot be translated is left unchanged, so that the schema reports it. */
  readonly settings: ReadonlyMap<string, unknown>;
  /** The original names of our settings. */
  readonly origins: ReadonlyMap<string, string>;
  readonly notices: readonly string[];
  /** Notices about something that does not work. */
  readonly errors: readonly string[];
}

/** Translates the proxies of a configuration of Centrifugo. */
export function translateProxies(theirs: Tree): TranslatedProxies {
  const translator = new ProxyTranslator();
  for (const [path, ours, isSwitched] of places) {
    const block = valueAt(theirs, path);
    const isOn = isTree(block) && (!isSwitched || flag(block.enabled) === true);
    if (isOn && isUsed(block)) translator.takeBlock(block, path.join('.'), `${OURS}.${ours}`);
  }
  translator.takeNamed(parsed(theirs.proxies));
  if (isTree(theirs.rpc)) translator.takeMethods(theirs.rpc);
  return translator;
}

class ProxyTranslator implements TranslatedProxies {
  readonly settings = new Map<string, unknown>();
  readonly origins = new Map<string, string>();
  readonly notices: string[] = [];
  readonly errors: string[] = [];

  takeBlock(block: Tree, where: string, ours: string): void {
    this.settings.set(ours, this.#proxy(block, where, ours));
  }

  takeNamed(proxies: unknown): void {
    if (proxies === undefined || proxies === '') return;
    if (!Array.isArray(proxies)) {
      this.settings.set(`${OURS}.named`, proxies);
      return;
    }
    const named = proxies.map((each: unknown, at) =>
      isTree(each) ? { name: each.name, ...this.#proxy(each, `proxies.${at}`, `${OURS}.named.${at}`) } : each,
    );
    this.settings.set(`${OURS}.named`, named);
  }

  takeMethods({ without_namespace: without, namespaces, namespace_boundary: boundary, ping }: Tree): void {
    if (isTree(without)) this.settings.set(`${OURS}.rpcWithoutNamespace`, methodOptions(without));
    const listed = parsed(namespaces);
    if (Array.isArray(listed))
      this.settings.set(
        `${OURS}.rpcNamespaces`,
        listed.map((each: unknown) => (isTree(each) ? { name: each.name, ...methodOptions(each) } : each)),
      );
    else if (listed !== undefined && listed !== '') this.settings.set(`${OURS}.rpcNamespaces`, listed);
    if (boundary !== undefined && boundary !== '')
      this.settings.set(`${OURS}.rpcNamespaceBoundary`, boundary);
    if (isTree(ping) && flag(ping.enabled) === true) {
      const message = 'rpc.ping is not supported: the server has no methods of its own';
      this.notices.push(message);
      this.errors.push(message);
    }
  }

  #proxy(block: Tree, where: string, ours: string): Tree {
    const proxy: Tree = {};
    const isGrpc = !/^https?:/i.test(String(block.endpoint));
    const tls = valueAt(block, [isGrpc ? 'grpc' : 'http', 'tls']);
    if (isTree(tls) && flag(tls.enabled) === true) proxy.tls = tlsOf(tls);
    for (const [name, value] of flat(block)) {
      const counterpart = options.get(name);
      if (counterpart !== undefined) {
        const [key, convert] = counterpart;
        const converted = convert(value);
        // No time-out at all is not possible: the default applies.
        const isDefault = value === null || value === '' || (key === 'timeoutMs' && converted === 0);
        if (!isDefault) proxy[key] = converted;
        this.origins.set(`${ours}.${key}`, `${where}.${name}`);
      } else if (!known.includes(name))
        this.notices.push(`${where}.${name} is unknown and was ignored${didYouMean(name, known)}`);
    }
    return proxy;
  }
}

function isUsed({ endpoint: address }: Tree): boolean {
  return address !== undefined && address !== '' && address !== null;
}

function tlsOf(tls: Tree): Tree {
  const given = [...tlsOptions].filter(([name]) => ![undefined, null, ''].includes(tls[name] as string));
  return Object.fromEntries(given.map(([name, [key, convert]]) => [key, convert(tls[name])]));
}

function methodOptions({ proxy_enabled: enabled, proxy_name: name }: Tree): Tree {
  return {
    ...(enabled !== undefined && { proxyEnabled: flag(enabled) }),
    ...(name !== undefined && { proxyName: name }),
  };
}

/** The options of a block by their dotted names. Headers and lists are values. */
function flat(block: Tree, prefix = ''): [string, unknown][] {
  return Object.entries(block).flatMap(([key, value]): [string, unknown][] => {
    const name = prefix + key;
    return isTree(value) && !options.has(name) ? flat(value, `${name}.`) : [[name, value]];
  });
}

/** Code 0 means none. An error wins over a disconnect. */
function transform(given: unknown): unknown[] {
  if (!isTree(given)) return [given];
  const { status_code: statusCode, to_error: error, to_disconnect: disconnect } = given;
  const has = (target: unknown): target is Tree =>
    isTree(target) && target.code !== undefined && target.code !== 0;
  if (has(error)) return [{ statusCode, toError: error }];
  return has(disconnect) ? [{ statusCode, toDisconnect: disconnect }] : [];
}

/** Variables contain lists and objects as JSON. Other text is returned unchanged, so that the schema reports it. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
