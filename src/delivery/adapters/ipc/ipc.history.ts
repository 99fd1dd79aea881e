import { Semaphore } from '../../../async/index.js';
import { type Link, RemotePort } from '../../../ipc/index.js';
import type { History, HistoryPage, HistoryQuery, PublishConditions } from '../../history/history.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';
import { portErrors } from './port-errors.js';
import { packPublication, unpackForStorage } from './publication-bytes.js';

const NAME = 'history';
/**
 * A page may be large. If many are read at a time, as after an outage, they fill the link until the primary process
 * takes this worker for stuck.
 */
const CONCURRENT_PAGES = 4;

/** The histories that the primary process stores for its workers. */
export class IpcHistory implements History {
  readonly #port: RemotePort;
  readonly #semaphore = new Semaphore(CONCURRENT_PAGES);
  /**
   * Reads that wait for the semaphore, by channel and query: clients that reconnect together read the same. A read that
   * has started is not shared, because a later caller may need what was published in between.
   */
  readonly #waiting = new Map<string, Promise<HistoryPage>>();

  constructor(link: Link) {
    this.#port = new RemotePort(link, NAME, portErrors);
  }

  publish(publication: Publication, conditions: PublishConditions): Promise<StreamPosition | undefined> {
    return this.#port.call('publish', packPublication(publication), conditions);
  }

  read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    if (query.limit === 0) return this.#port.call('read', channel, query);
    const key = `${channel}\0${JSON.stringify(query)}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const start = (): Promise<HistoryPage> => {
      this.#waiting.delete(key);
      return this.#port.call('read', channel, query);
    };
    const page = Promise.resolve().then(() => this.#semaphore.run(start));
    this.#waiting.set(key, page);
    return page;
  }

  remove(channel: string): Promise<void> {
    return this.#port.call('remove', channel);
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}

/** Serves the history of the primary process to a worker. */
export function serveHistory(link: Link, history: History): void {
  link.serve(NAME, {
    publish: (bytes: Buffer, conditions: PublishConditions) =>
      history.publish(unpackForStorage(bytes), conditions),
    read: (channel: string, query: HistoryQuery) => history.read(channel, query),
    remove: (channel: string) => history.remove(channel),
  });
}
