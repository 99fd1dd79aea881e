import { Semaphore } from '../../../async/index.js';
import type { WebhookResponse, WebhookTarget } from '../../../webhooks/index.js';
import type { Answer, Arrival, ConnectionContext, Registration, RouteBackend } from './backend.js';
import { BackendFailedError } from './functions.errors.js';
import type { RouteOptions } from './functions.options.js';
import { chosenSubprotocol, closingEvent, connectingEvent, dataEvent } from './gateway-events.js';

const HEADERS = { 'content-type': 'application/json' };

/** Functions behind three URLs, which are called with the events of a cloud API gateway. */
export class HttpBackend implements RouteBackend {
  /** So many calls that others are not refused. A client waits for its turn. */
  readonly #messages: Semaphore;
  readonly #cleanups: Semaphore;

  constructor(
    private readonly targets: Readonly<Record<'register' | 'transport' | 'cleanup', WebhookTarget>>,
    private readonly options: RouteOptions,
  ) {
    this.#messages = new Semaphore(options.maxConcurrentCalls);
    this.#cleanups = new Semaphore(options.maxConcurrentCalls);
  }

  async register(arrival: Arrival): Promise<Registration> {
    const response = await this.#post('register', connectingEvent(arrival, this.options));
    return chosenSubprotocol(response, arrival);
  }

  async transport(
    id: string,
    _context: ConnectionContext,
    data: Buffer,
    isText: boolean,
  ): Promise<Answer | undefined> {
    const event = dataEvent(id, data, isText);
    const { body, headers } = await this.#messages.run(() => this.#post('transport', event));
    if (!this.options.respond || body.length === 0) return undefined;
    return { data: body, isText: headers['content-type'] !== 'application/octet-stream' };
  }

  async cleanUp(id: string): Promise<void> {
    await this.#cleanups.run(() => this.#post('cleanup', closingEvent(id)));
  }

  async #post(step: keyof typeof this.targets, event: object): Promise<WebhookResponse> {
    const target = this.targets[step];
    const response = await target.post(Buffer.from(JSON.stringify(event)), HEADERS);
    if (response.status < 200 || response.status > 299)
      throw new BackendFailedError(`${target.name} answered with status ${response.status}`);
    return response;
  }
}
