import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { inSeconds, token } from './centrifugo.ts';
import { ClientProgram, type ClientProtocol, type Launch } from './client-program.ts';
import type { Stage } from './server-fixture.ts';

export interface Casting {
  readonly user?: string;
  /** More claims of its connection tokens, one object per token. */
  readonly claims?: readonly JWTPayload[];
  readonly tokens?: readonly string[];
  /** Connects to another process than the others, where there is one. */
  readonly isFar?: boolean;
}

/** One run of a scenario: its clients, in channels that no other run uses. */
export class Scene implements AsyncDisposable {
  readonly #clients: ClientProgram[] = [];
  readonly #suffix = randomUUID().slice(0, 8);

  constructor(
    readonly stage: Stage,
    readonly protocol: ClientProtocol,
    private readonly launch: Launch,
  ) {}

  channel(namespace: string, name = ''): string {
    return `${namespace}:${name}${this.#suffix}`;
  }

  /** A user whom no other run knows. */
  user(name: string): string {
    return `${name}-${this.#suffix}`;
  }

  /** A client that does nothing yet. */
  async client({
    user = 'anna',
    claims = [{ exp: inSeconds(3_600) }],
    tokens,
    isFar = false,
  }: Casting = {}): Promise<ClientProgram> {
    const own = tokens ?? (await Promise.all(claims.map((each) => token({ sub: this.user(user), ...each }))));
    const { url, farUrl } = this.stage;
    const client = new ClientProgram(this.launch, {
      url: isFar ? farUrl : url,
      protocol: this.protocol,
      tokens: own,
    });
    this.#clients.push(client);
    return client;
  }

  async connected(casting?: Casting): Promise<ClientProgram> {
    const client = await this.client(casting);
    await client.do({ do: 'connect' });
    await client.sees({ event: 'connected' });
    return client;
  }

  async subscribed(channel: string, casting?: Casting): Promise<ClientProgram> {
    const client = await this.connected(casting);
    await client.do({ do: 'subscribe', channel });
    await client.sees({ event: 'subscribed', channel });
    return client;
  }

  /** Publishes a number as the application's backend does, through another process than that of most clients. */
  async publish(channel: string, ...numbers: readonly number[]): Promise<void> {
    for (const n of numbers) await this.stage.api('publish', { channel, data: { n } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stage.line.mend();
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }
}
