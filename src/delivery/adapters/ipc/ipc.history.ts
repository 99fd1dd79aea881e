import { Semaphore } from '../../../async/index.js';
import { type Link, RemotePort } from '../../../ipc/index.js';
import type { History, HistoryPage, HistoryQuery, PublishConditions } from '../../history/history.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';
import { deliveryFailures } from './failures.js';
import { packPublication, unpackForStorage } from './publication-bytes.js';

const NAME = 'history';
/** A page may be large. Many at a time, as after an outage, would fill the link until the primary takes this worker for stuck. */
const PAGES_AT_A_TIME = 4;

/** Histories that the primary process keeps for its workers, beside the switchboard of their fan-out. */
export class IpcHistory implements History {
  readonly #port: RemotePort;
  readonly #semaphore = new Semaphore(PAGES_AT_A_TIME);
  /**
   * Pages that wait for their turn, by what is asked for: clients that come back together ask for the same. One that has been
   * asked for is not shared: who comes later may need what came in between.
   */
  readonly #waiting = new Map<string, Promise<HistoryPage>>();

  constructor(link: Link) {
    this.#port = new RemotePort(link, NAME, deliveryFailures);
  }

  publish(publication: Publication, terms: PublishConditions): Promise<StreamPosition | undefined> {
    return this.#port.call('publish', packPublication(publication), terms);
  }

  read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    if (query.limit === 0) return this.#port.call('read', channel, query);
    const key = `${channel}\0${JSON.stringify(query)}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const ask = (): Promise<HistoryPage> => {
      this.#waiting.delete(key);
      return this.#port.call('read', channel, query);
    };
    const page = Promise.resolve().then(() => this.#semaphore.run(ask));
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

export function serveHistory(link: Link, history: History): void {
  link.serve(NAME, {
    publish: (bytes: Buffer, terms: PublishConditions) => history.publish(unpackForStorage(bytes), terms),
    read: (channel: string, query: HistoryQuery) => history.read(channel, query),
    remove: (channel: string) => history.remove(channel),
  });
}
