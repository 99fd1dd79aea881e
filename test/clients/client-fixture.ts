import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { inSeconds, token } from './centrifugo.ts';
import { ClientProgram, type ClientProtocol, type Launch } from './client-program.ts';
import type { ServerFixture } from './server-fixture.ts';

export interface ClientOptions {
  readonly user?: string;
  /** Additional claims of its connection tokens, one object per token. */
  readonly claims?: readonly JWTPayload[];
  /** Complete connection tokens, instead of `claims`. */
  readonly tokens?: readonly string[];
  /** Connects to a different replica from the other clients, if there are several. */
  readonly onOtherReplica?: boolean;
}

/** The clients of one run of a scenario. Its channels and users are used by no other run. */
export class ClientFixture implements AsyncDisposable {
  readonly #clients: ClientProgram[] = [];
  readonly #suffix = randomUUID().slice(0, 8);

  constructor(
    readonly server: ServerFixture,
    readonly protocol: ClientProtocol,
    private readonly launch: Launch,
  ) {}

  /** Returns the name of a channel that no other run uses. */
  channel(namespace: string, name = ''): string {
    return `${namespace}:${name}${this.#suffix}`;
  }

  /** Returns the id of a user that no other run uses. */
  user(name: string): string {
    return `${name}-${this.#suffix}`;
  }

  /** Starts a client that does not connect yet. */
  async start({
    user = 'anna',
    claims = [{ exp: inSeconds(3_600) }],
    tokens,
    onOtherReplica = false,
  }: ClientOptions = {}): Promise<ClientProgram> {
    const own = tokens ?? (await Promise.all(claims.map((each) => token({ sub: this.user(user), ...each }))));
    const { url, otherReplicaUrl } = this.server;
    const client = new ClientProgram(this.launch, {
      url: onOtherReplica ? otherReplicaUrl : url,
      protocol: this.protocol,
      tokens: own,
    });
    this.#clients.push(client);
    return client;
  }

  /** Starts a client. Resolves when it is connected. */
  async connect(options?: ClientOptions): Promise<ClientProgram> {
    const client = await this.start(options);
    await client.do({ do: 'connect' });
    await client.sees({ event: 'connected' });
    return client;
  }

  /** Starts a client. Resolves when it is subscribed to the channel. */
  async subscribe(channel: string, options?: ClientOptions): Promise<ClientProgram> {
    const client = await this.connect(options);
    await client.do({ do: 'subscribe', channel });
    await client.sees({ event: 'subscribed', channel });
    return client;
  }

  /** Publishes `{ n }` for each number through the server API, one after another. */
  async publish(channel: string, ...numbers: readonly number[]): Promise<void> {
    for (const n of numbers) await this.server.api('publish', { channel, data: { n } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.proxy.acceptConnections();
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }
}
