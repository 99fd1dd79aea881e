import { inBackground } from '../../../async/index.js';
import {
  type Admin,
  type CompressionTypes,
  type Kafka,
  type Message as KafkaMessage,
  Partitioners,
  type Producer,
} from 'kafkajs';

/** A connected producer and admin client. After an error, both are replaced together. */
export class KafkaLink {
  readonly #sends = new Set<Promise<unknown>>();

  private constructor(
    private readonly producer: Producer,
    readonly admin: Admin,
    private readonly compression: CompressionTypes,
  ) {}

  static async open(client: Kafka, compression: CompressionTypes): Promise<KafkaLink> {
    const producer = client.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: stablePartitioner,
      retry: { initialRetryTime: 50, maxRetryTime: 250, retries: 5 },
    });
    const link = new KafkaLink(producer, client.admin(), compression);
    try {
      await Promise.all([producer.connect(), link.admin.connect()]);
      return link;
    } catch (error) {
      inBackground('closing of a connection', () => link.close());
      throw error;
    }
  }

  /** Resolves when every in-sync replica holds the records. */
  async send(topic: string, messages: KafkaMessage[], timeoutMs: number): Promise<void> {
    const send = this.producer.send({
      topic,
      acks: -1,
      timeout: timeoutMs,
      compression: this.compression,
      messages,
    });
    this.#sends.add(send);
    try {
      await send;
    } finally {
      this.#sends.delete(send);
    }
  }

  async close(): Promise<void> {
    // kafkajs would connect again for a send that it retries after the disconnect, and nothing would close that connection.
    await Promise.allSettled(this.#sends);
    await Promise.allSettled([this.producer.disconnect(), this.admin.disconnect()]);
  }
}

/**
 * Chooses the partition of a key as Kafka's own clients do, but only once per record. A retry must keep the partition, because the
 * broker recognises a repeated batch by its partition and sequence number.
 */
const stablePartitioner: typeof Partitioners.DefaultPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (choice) => {
    choice.message.partition ??= choose(choice);
    return choice.message.partition;
  };
};
