import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import { newMessageId } from '../../message/index.js';
import { glob } from '../../patterns/index.js';
import { nodeChannel, nodeId } from '../channels/address.js';
import type { Fanout } from '../fanout.port.js';
import { Publication } from '../publications/publication.js';
import type { Subscribers } from '../subscribers/subscribers.js';
import type { CommandHandler, ControlCommand } from './control-command.js';
import { decodeControl, encodeControl, type ControlMessage } from './control-message.js';
import { KnownNodes } from './known-nodes.js';
import type { Audience, NodeInfo } from './node-info.js';
import { Survey, type ChannelCounts } from './survey.js';

const EVERYBODY = '~control';
/** Announcements that may get lost before a node counts as gone. */
const PATIENCE = 3;

export interface NodesOptions {
  readonly uid?: string;
  /** Empty: the name of the host. */
  readonly name: string;
  readonly version: string;
  readonly announceIntervalMs: number;
  readonly surveyTimeoutMs: number;
  /** Reads the metrics of this process. */
  readonly totals: () => Promise<Readonly<Record<string, number>>>;
}

/** This node among the others: says that it is there, hears of the others, and carries commands and questions between them. */
export class Nodes {
  readonly #logger = new Logger(Nodes.name);
  readonly #uid: string;
  readonly #known: KnownNodes;
  readonly #surveys = new Map<string, Survey>();
  readonly #handlers = new Set<CommandHandler>();
  readonly #subscriber = { receive: (publication: Publication) => this.#receive(publication) };
  #audience: () => Audience = () => ({ numClients: 0, numUsers: 0 });
  #timer: NodeJS.Timeout | undefined;
  #cpu = { at: performance.now(), usage: process.cpuUsage(), share: 0 };

  constructor(
    private readonly fanout: Fanout,
    private readonly subscribers: Subscribers,
    private readonly options: NodesOptions,
  ) {
    this.#uid = options.uid ?? nodeId;
    this.#known = new KnownNodes(PATIENCE * options.announceIntervalMs);
  }

  /** Returns at once. While the store is away nobody hears of this node. */
  start(): void {
    for (const channel of [EVERYBODY, nodeChannel(this.#uid)]) {
      this.subscribers.attach(channel, this.#subscriber);
      this.fanout.subscribe(channel).then(
        () => channel === EVERYBODY && this.#announce('hello'),
        () => {}, // shut down before the store was there
      );
    }
    this.#timer = setInterval(() => this.#announce('here'), this.options.announceIntervalMs).unref();
  }

  async close(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const channel of [EVERYBODY, nodeChannel(this.#uid)]) {
      this.subscribers.detach(channel, this.#subscriber);
      this.fanout.unsubscribe(channel);
    }
    await this.#send(EVERYBODY, { say: 'bye', uid: this.#uid }).catch(() => {});
  }

  /** @throws BrokerUnavailableError */
  command(command: ControlCommand): Promise<void> {
    // With an id it is repeated to a node that is cut off at the moment.
    return this.#send(EVERYBODY, { say: 'command', command }, newMessageId());
  }

  onCommand(handler: CommandHandler): void {
    this.#handlers.add(handler);
  }

  describeAudience(audience: () => Audience): void {
    this.#audience = audience;
  }

  /** This node first. */
  async list(): Promise<NodeInfo[]> {
    return [await this.#describe(), ...this.#known.list()];
  }

  /**
   * The channels that have subscribers anywhere, with their numbers.
   * @throws {SurveyIncompleteError}
   * @throws BrokerUnavailableError
   */
  async channels(pattern: string): Promise<Map<string, number>> {
    const survey = new Survey([this.#uid, ...this.#known.list().map(({ uid }) => uid)]);
    const id = randomUUID();
    this.#surveys.set(id, survey);
    try {
      survey.add(this.#uid, this.#count(pattern));
      const asked = { say: 'channels?', survey: id, from: this.#uid, pattern } as const;
      if (this.#known.list().length > 0) await this.#send(EVERYBODY, asked);
      return await survey.result(this.options.surveyTimeoutMs);
    } finally {
      this.#surveys.delete(id);
    }
  }

  #receive({ data }: Publication): void {
    const message = decodeControl(data);
    switch (message?.say) {
      case 'command':
        for (const handler of this.#handlers) handler(message.command);
        break;
      case 'here':
      case 'hello':
        if (message.node.uid === this.#uid) break;
        this.#known.hear(message.node);
        if (message.say === 'hello') this.#announce('here');
        break;
      case 'bye':
        this.#known.forget(message.uid);
        for (const survey of this.#surveys.values()) survey.excuse(message.uid);
        break;
      case 'channels?':
        if (message.from !== this.#uid) this.#answer(message.survey, message.from, message.pattern);
        break;
      case 'channels':
        this.#surveys.get(message.survey)?.add(message.uid, message.counts);
        break;
      default:
        this.#logger.debug('dropped a control message that this version does not know');
    }
  }

  #answer(survey: string, from: string, pattern: string): void {
    const counts = this.#count(pattern);
    this.#tell({ say: 'channels', survey, uid: this.#uid, counts }, nodeChannel(from));
  }

  #count(pattern: string): ChannelCounts {
    return Object.fromEntries(this.subscribers.counts(glob(pattern)));
  }

  #announce(say: 'hello' | 'here'): void {
    void this.#describe().then((node) => this.#tell({ say, node }));
  }

  /** For what is said again, or asked again by whoever misses it. */
  #tell(message: ControlMessage, channel = EVERYBODY): void {
    this.#send(channel, message).catch(() => {});
  }

  #send(channel: string, message: ControlMessage, id?: string): Promise<void> {
    const data = encodeControl(message);
    return this.fanout.publish(
      new Publication({
        channel,
        data,
        format: 'json',
        id,
        createdAt: Date.now(),
        lane: 'direct',
        kind: 'control',
      }),
    );
  }

  async #describe(): Promise<NodeInfo> {
    // A metric that cannot be read does not take the node off the list.
    const metrics = await this.options.totals().catch(() => ({}));
    const { publicChannelCount, publicAttachmentCount } = this.subscribers;
    return {
      uid: this.#uid,
      name: this.options.name || hostname(),
      version: this.options.version,
      ...this.#audience(),
      numSubs: publicAttachmentCount,
      numChannels: publicChannelCount,
      uptime: Math.floor(process.uptime()),
      metrics,
      process: { cpu: this.#cpuShare(), rss: process.memoryUsage.rss() },
    };
  }

  #cpuShare(): number {
    const elapsedMs = performance.now() - this.#cpu.at;
    if (elapsedMs >= 1_000) {
      const { user, system } = process.cpuUsage(this.#cpu.usage);
      const share = (user + system) / 1_000 / elapsedMs;
      this.#cpu = { at: performance.now(), usage: process.cpuUsage(), share };
    }
    return this.#cpu.share;
  }
}
