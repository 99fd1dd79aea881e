import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import { every, inBackground, Turns } from '../../async/index.js';
import { newMessageId } from '../../message/index.js';
import { glob } from '../../patterns/index.js';
import { isReserved, nodeChannel, nodeId } from '../channels/address.js';
import type { Fanout } from '../fanout.port.js';
import { Publication } from '../publications/publication.js';
import type { Subscribers } from '../subscribers/subscribers.js';
import type { CommandHandler, ControlCommand } from './control-command.js';
import { decodeControl, encodeControl, type ControlMessage } from './control-message.js';
import { KnownNodes } from './known-nodes.js';
import { NodeCalls, type RequestHandler } from './node-calls.js';
import type { Audience, NodeInfo } from './node-info.js';
import { Survey, type ChannelCounts } from './survey.js';

/** All nodes are subscribed to this channel. */
const ALL_NODES = '~control';
/** Announcements that may be missing before a node is removed from the list. */
const MISSING_ANNOUNCEMENTS = 3;

export interface NodesOptions {
  readonly uid?: string;
  /** Empty: the host name. */
  readonly name: string;
  readonly version: string;
  readonly announceIntervalMs: number;
  readonly surveyTimeoutMs: number;
  /** Reads the metrics of this process. */
  readonly totals: () => Promise<Readonly<Record<string, number>>>;
}

/** Announces this node to the others, lists them, and carries commands and surveys between them. */
export class Nodes {
  readonly #logger = new Logger(Nodes.name);
  readonly #uid: string;
  readonly #known: KnownNodes;
  readonly #surveys = new Map<string, Survey>();
  readonly #calls: NodeCalls;
  readonly #handlers = new Set<CommandHandler>();
  readonly #subscriber = { receive: (publication: Publication) => this.#receive(publication) };
  #audience: () => Audience = () => ({ numClients: 0, numUsers: 0 });
  #timer: NodeJS.Timeout | undefined;
  #rss = 0;
  #cpu = { at: performance.now(), usage: process.cpuUsage(), share: 0 };

  constructor(
    private readonly fanout: Fanout,
    private readonly subscribers: Subscribers,
    private readonly options: NodesOptions,
  ) {
    this.#uid = options.uid ?? nodeId;
    this.#known = new KnownNodes(MISSING_ANNOUNCEMENTS * options.announceIntervalMs);
    this.#calls = new NodeCalls({
      uid: this.#uid,
      timeoutMs: options.surveyTimeoutMs,
      send: (node, message) => this.#send(nodeChannel(node), message),
    });
  }

  /** Returns at once. While the store is unavailable, the other nodes do not know this one. */
  start(): void {
    for (const channel of [ALL_NODES, nodeChannel(this.#uid)]) {
      this.subscribers.attach(channel, this.#subscriber);
      this.fanout.subscribe(channel).then(
        () => channel === ALL_NODES && this.#announce('hello'),
        () => {}, // closed before the store was available
      );
    }
    this.#timer = every('announcement of this node', this.options.announceIntervalMs, () =>
      this.#announce('here'),
    ).unref();
  }

  async close(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const channel of [ALL_NODES, nodeChannel(this.#uid)]) {
      this.subscribers.detach(channel, this.#subscriber);
      this.fanout.unsubscribe(channel);
    }
    await this.#send(ALL_NODES, { say: 'bye', uid: this.#uid }).catch(() => {});
  }

  /**
   * Sends a command to all nodes, including this one. Resolves when the store has accepted it.
   * @throws BrokerUnavailableError
   */
  command(command: ControlCommand): Promise<void> {
    // Because of the id it is replayed to nodes that are disconnected at the moment.
    return this.#send(ALL_NODES, { say: 'command', command }, newMessageId());
  }

  /** Registers a handler that executes commands on this node. */
  onCommand(handler: CommandHandler): void {
    this.#handlers.add(handler);
  }

  /**
   * Asks one node, which may be this one, about a subject.
   * @throws NodeSilentError it did not answer in time, and may have carried out the request
   * @throws BrokerUnavailableError
   */
  ask(node: string, subject: string, body: Buffer): Promise<Buffer> {
    return this.#calls.ask(node, subject, body);
  }

  /** Registers what answers the requests of nodes about a subject. */
  answer(subject: string, handler: RequestHandler): void {
    this.#calls.serve(subject, handler);
  }

  /** Registers what counts the clients of this node. Called every few seconds. */
  describeAudience(audience: () => Audience): void {
    this.#audience = audience;
  }

  /** Returns the nodes that have announced themselves recently, this one first. */
  async list(): Promise<NodeInfo[]> {
    return [await this.#describe(), ...this.#known.list()];
  }

  /**
   * Returns the number of subscribers, on all nodes together, of each channel whose name matches a glob (see
   * `patterns`).
   * @throws {SurveyIncompleteError} a node did not reply in time
   * @throws BrokerUnavailableError
   */
  async channels(pattern: string): Promise<Map<string, number>> {
    const survey = new Survey([this.#uid, ...this.#known.list().map(({ uid }) => uid)]);
    const id = randomUUID();
    this.#surveys.set(id, survey);
    try {
      survey.add(this.#uid, await this.#count(pattern));
      const request = { say: 'channels?', survey: id, from: this.#uid, pattern } as const;
      if (this.#known.list().length > 0) await this.#send(ALL_NODES, request);
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
        this.#known.update(message.node);
        if (message.say === 'hello') this.#announce('here');
        break;
      case 'bye':
        this.#known.remove(message.uid);
        for (const survey of this.#surveys.values()) survey.removeNode(message.uid);
        break;
      case 'ask':
        this.#calls.onRequest(message);
        break;
      case 'answer':
        this.#calls.onReply(message);
        break;
      case 'channels?':
        if (message.from !== this.#uid)
          inBackground('count of the channels', () =>
            this.#reply(message.survey, message.from, message.pattern),
          );
        break;
      case 'channels':
        this.#surveys.get(message.survey)?.add(message.uid, message.counts);
        break;
      default:
        this.#logger.debug('dropped a control message of an unknown kind');
    }
  }

  async #reply(survey: string, from: string, pattern: string): Promise<void> {
    const counts = await this.#count(pattern);
    this.#notify({ say: 'channels', survey, uid: this.#uid, counts }, nodeChannel(from));
  }

  /** Matches in several turns of the event loop: there may be very many channels. */
  async #count(pattern: string): Promise<ChannelCounts> {
    const matches = glob(pattern);
    const counts: Record<string, number> = {};
    const turns = new Turns();
    for (const [channel, count] of this.subscribers.counts()) {
      if (!isReserved(channel) && matches(channel)) counts[channel] = count;
      if (turns.isOver) await turns.next();
    }
    return counts;
  }

  #announce(say: 'hello' | 'here'): void {
    inBackground('announcement of this node', async () =>
      this.#notify({ say, node: await this.#describe() }),
    );
  }

  /** Ignores a failure: an announcement is repeated, and a node without a reply can ask again. */
  #notify(message: ControlMessage, channel = ALL_NODES): void {
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
    // The node stays on the list even if a metric cannot be read.
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
      process: { cpu: this.#cpuShare(), rss: this.#residentBytes() },
    };
  }

  /** Reading it needs a file descriptor. Without a free one, the last value is the best that is known. */
  #residentBytes(): number {
    try {
      this.#rss = process.memoryUsage.rss();
    } catch {
      // EMFILE
    }
    return this.#rss;
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
