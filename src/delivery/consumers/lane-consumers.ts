import { Logger } from '@nestjs/common';
import { inBackground, retryUntilDone, settlesWithin } from '../../async/index.js';
import type { InstantLane, Schedule } from '../../bus/index.js';
import type { BrokerStatus } from '../../metrics/index.js';
import { UndeliverableRecordError, type Message } from '../../message/index.js';
import type { ChannelRules } from '../channels/channel-rules.js';
import { acceptsData } from '../channels/publication-data.js';
import type { Delivery } from '../delivery.js';
import type { Lane } from '../publications/publication.js';
import { fromMessageExtension } from '../publications/publish-options.js';

const RETRY_MS = 1_000;

export interface LaneConsumersOptions {
  /** Delayed messages that are delivered at a time. */
  readonly laneConcurrency: number;
  /** Longest wait of `close`, in ms. */
  readonly drainTimeoutMs: number;
}

interface Consumer {
  close(): Promise<void>;
}

/**
 * Consumes the due messages of both lanes and publishes them with delivery. A message that the fan-out rejects stays
 * with its lane, which delivers it again.
 */
export class LaneConsumers {
  readonly #logger = new Logger(LaneConsumers.name);
  readonly #closing = new AbortController();
  #opening: readonly Promise<Consumer | undefined>[] = [];

  constructor(
    private readonly instant: InstantLane,
    private readonly delayed: Schedule,
    private readonly delivery: Delivery,
    private readonly rules: ChannelRules,
    private readonly options: LaneConsumersOptions,
    private readonly status: BrokerStatus,
  ) {}

  /**
   * Returns at once. A lane whose broker is unavailable is opened when the broker returns; until then `status` is down.
   */
  start(): void {
    const concurrency = this.options.laneConcurrency;
    this.#opening = [
      this.#open('instant', () => this.instant.consume((message) => this.#publish(message, 'instant'))),
      this.#open('delayed', () =>
        this.delayed.consume({ concurrency }, (message) => this.#publish(message, 'delayed')),
      ),
    ];
    inBackground('opening of the lanes', () => this.#reportOpened());
  }

  /**
   * Stops consuming, and waits up to `drainTimeoutMs` for the messages that are being delivered. The lane delivers
   * unfinished ones again.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    const closed = this.#opening.map(async (consumer) => {
      try {
        await (await consumer)?.close();
      } catch (error) {
        this.#logger.warn(`could not close a lane consumer: ${String(error)}`);
      }
    });
    const { drainTimeoutMs } = this.options;
    if (await settlesWithin(drainTimeoutMs, Promise.all(closed))) return;
    this.#logger.warn(
      `messages were still being delivered after ${drainTimeoutMs} ms; their lane delivers them again`,
    );
  }

  /** @throws {UndeliverableRecordError} its publish options are malformed, or its channel does not accept its data */
  async #publish(message: Message, lane: Lane): Promise<void> {
    const options = fromMessageExtension(message.extension);
    const { channel, data } = message;
    const format = this.rules.dataFormatOf(channel);
    if (!acceptsData(format, data))
      throw new UndeliverableRecordError(
        `channel ${channel} does not accept its data: it must be ${format === '' ? 'at least one byte' : format}`,
      );
    await this.delivery.publish(message, lane, options);
  }

  async #reportOpened(): Promise<void> {
    await Promise.all(this.#opening);
    if (!this.#closing.signal.aborted) this.status.up();
  }

  #open(lane: string, consume: () => Promise<Consumer>): Promise<Consumer | undefined> {
    let logged: string | undefined;
    return retryUntilDone(consume, {
      pauseMs: () => RETRY_MS,
      signal: this.#closing.signal,
      onFailure: (error) => {
        const reason = `cannot consume the ${lane} lane: ${error instanceof Error ? error.message : String(error)}`;
        if (reason !== logged) this.#logger.warn(`${reason}; retrying every ${RETRY_MS} ms`);
        logged = reason;
        this.status.down(reason);
      },
    });
  }
}
