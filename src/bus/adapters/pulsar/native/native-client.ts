import { AdapterUnusableError } from '../../../bus.errors.js';

// The part of pulsar-client 1.18 that is used, in our own words: the package is optional, and so are its types.
// https://github.com/apache/pulsar-client-node/blob/master/index.d.ts

export interface NativeModule {
  readonly Client: {
    new (config: NativeClientConfig): NativeClient;
    /** For all clients of the process. */
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
  /** Off by default: any certificate that is trusted would do, whoever it was issued to. */
  readonly tlsValidateHostname: boolean;
  /** 2 is «warn». */
  readonly logLevel: number;
}

export interface NativeClient {
  createProducer(config: Readonly<Record<string, unknown>>): Promise<NativeProducer>;
  subscribe(config: Readonly<Record<string, unknown>>): Promise<NativeConsumer>;
  close(): Promise<unknown>;
}

export interface NativeProducer {
  send(message: Readonly<Record<string, unknown>>): Promise<unknown>;
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface NativeConsumer {
  /** Without a time-out: with one it would occupy a thread of libuv's pool for as long. */
  receive(): Promise<NativeMessage>;
  acknowledge(message: NativeMessage): Promise<unknown>;
  negativeAcknowledge(message: NativeMessage): void;
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface NativeMessage {
  getMessageId(): { serialize(): Buffer };
  getData(): Buffer;
  /** An array with named keys. */
  getProperties(): Readonly<Record<string, string>>;
  /** Empty where there is none. */
  getPartitionKey(): string;
  getPublishTimestamp(): number;
  getRedeliveryCount(): number;
}

const otherWay = 'Or use the WebSocket API, which needs no package: an http(s):// or ws(s):// service URL.';

/**
 * Loads the optional native client.
 *
 * @param name typed as any string, so that the compiler does not look for a package that may be absent
 * @throws {AdapterUnusableError} with what to do about it
 */
export async function loadNativeClient(name: string = 'pulsar-client'): Promise<NativeModule> {
  try {
    const loaded = (await import(name)) as { default: NativeModule };
    return loaded.default;
  } catch (error) {
    throw new AdapterUnusableError(`${remedyFor(error, name)} ${otherWay}`, { cause: error });
  }
}

function remedyFor(error: unknown, name: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_FAILED') {
    return (
      `pulsar:// needs the native library of ${name}, which this system cannot load (${message}). ` +
      'Use a system that it is built for (glibc or musl, x64 or arm64), or rebuild it here: npm rebuild pulsar-client.'
    );
  }
  if (code?.endsWith('MODULE_NOT_FOUND') && !message.includes(`'${name}'`)) {
    return (
      `pulsar:// needs the native library of ${name}, which was not downloaded when the package was installed. ` +
      'Allow its install script and its download, then: npm rebuild pulsar-client.'
    );
  }
  if (code?.endsWith('MODULE_NOT_FOUND')) {
    return `pulsar:// needs the optional package ${name}, which is not installed: npm install pulsar-client.`;
  }
  return `pulsar:// needs the optional package ${name}, which failed to load (${message}).`;
}
