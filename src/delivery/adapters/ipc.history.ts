import { type Link, RemotePort } from '../../ipc/index.js';
import type { History, HistoryPage, HistoryQuery, PublishTerms } from '../history.port.js';
import type { Publication, StreamPosition } from '../publication.js';
import { deliveryFailures } from './ipc.failures.js';
import { packPublication, unpackPublication } from './ipc.publication.js';

const NAME = 'history';

/** Histories that the primary process keeps for its workers, beside the switchboard of their fan-out. */
export class IpcHistory implements History {
  readonly #port: RemotePort;

  constructor(link: Link) {
    this.#port = new RemotePort(link, NAME, deliveryFailures);
  }

  publish(publication: Publication, terms: PublishTerms): Promise<StreamPosition | undefined> {
    return this.#port.call('publish', packPublication(publication), terms);
  }

  read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    return this.#port.call('read', channel, query);
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
    publish: (bytes: Buffer, terms: PublishTerms) => history.publish(unpackPublication(bytes), terms),
    read: (channel: string, query: HistoryQuery) => history.read(channel, query),
    remove: (channel: string) => history.remove(channel),
  });
}
