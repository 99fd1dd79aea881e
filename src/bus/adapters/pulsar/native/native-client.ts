import { AdapterUnusableError } from '../../../bus.errors.js';

// The part of pulsar-client 1.18 that is used. It is declared here because the package, and with it its types, is
// optional. https://github.com/apache/pulsar-client-node/blob/master/index.d.ts

export interface NativeModule {
  readonly Client: {
    new (config: NativeClientConfig): NativeClient;
    /** Applies to all clients of the process. */
    setLogHandler(handler: (level: number, file: string, line: number, message: string) => void): void;
  };
  readonly AuthenticationToken: new (config: { readonly token: string }) => object;
}

export interface NativeClientConfig {
  readonly serviceUrl: string;
  readonly authentication?: object;
  readonly operationTimeoutSeconds: number;
  readonly connectionTimeoutMs: number;
  readonly tlsTrustCertsFilePath?: string;
  /** The client's default is false: it would accept any trusted certificate, of whatever host. */
  readonly tlsValidateHostname: boolean;
  /** 2 means `warn`. */
  readonly logLevel: number;
}

export interface NativeClient {
  createProducer(config: Readonly<Record<string, unknown>>): Promise<ClientProducer>;
  subscribe(config: Readonly<Record<string, unknown>>): Promise<ClientConsumer>;
  close(): Promise<unknown>;
}

export interface ClientProducer {
  send(message: Readonly<Record<string, unknown>>): Promise<unknown>;
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface ClientConsumer {
  /** Used without a timeout: with one, the client would block a thread of libuv's pool for that time. */
  receive(): Promise<ClientMessage>;
  acknowledge(message: ClientMessage): Promise<unknown>;
  negativeAcknowledge(message: ClientMessage): void;
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface ClientMessage {
  getMessageId(): { serialize(): Buffer };
  getData(): Buffer;
  /** An array with named keys. */
  getProperties(): Readonly<Record<string, string>>;
  /** Empty if there is none. */
  getPartitionKey(): string;
  getPublishTimestamp(): number;
  getRedeliveryCount(): number;
}

const alternative =
  'Or use the WebSocket API, which needs no package: an http(s):// or ws(s):// service URL.';

/**
 * Loads the optional native client.
 *
 * @param name declared as `string`, so that the compiler does not look for a package that may be absent
 * @throws {AdapterUnusableError} with instructions what to do
 */
export async function loadNativeClient(name: string = 'pulsar-client'): Promise<NativeModule> {
  try {
    const loaded = (await import(name)) as { default: NativeModule };
    return loaded.default;
  } catch (error) {
    throw new AdapterUnusableError(`${remedyFor(error, name)} ${alternative}`, { cause: error });
  }
}

function remedyFor(error: unknown, name: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_FAILED') {
    return (
      `pulsar:// needs the native library of ${name}, which this system cannot load (${message}). ` +
      'Use a system for which it is built (glibc or musl, x64 or arm64), or rebuild it here: npm rebuild pulsar-client.'
    );
  }
  if (code?.endsWith('MODULE_NOT_FOUND') && !message.includes(`'${name}'`)) {
    return (
      `pulsar:// needs the native library of ${name}, which was not downloaded when the package was installed. ` +
      'Allow its install script and its download, then run npm rebuild pulsar-client.'
    );
  }
  if (code?.endsWith('MODULE_NOT_FOUND')) {
    return `pulsar:// needs the optional package ${name}, which is not installed: npm install pulsar-client.`;
  }
  return `pulsar:// needs the optional package ${name}, which failed to load (${message}).`;
}
