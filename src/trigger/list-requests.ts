import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { after } from '../async/index.js';
import { networkOf, TooManyListsError, type Caller } from '../http/index.js';

/** Lists of one caller that are read, or whose responses are being sent, at a time. */
const AT_A_TIME = 4;
/** Lists of one caller that wait for them, and how long they do. */
const WAITING = 64;
const MAX_WAIT_MS = 5_000;

interface Lists {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Limits how many lists one caller (an API key, or an address) requests at a time, because each may be large. A list counts until its
 * response was sent or its connection has closed, so that responses that nobody reads do not pile up.
 */
@Injectable()
export class ListRequests {
  readonly #byCaller = new Map<string, Lists>();

  /**
   * Resolves when the caller may read a list.
   * @param caller its name, see {@link nameOf}
   * @throws TooManyListsError if many of the caller's lists wait already, or if none of them ends in time
   */
  async admit(caller: string, response: ServerResponse): Promise<void> {
    const lists = this.#byCaller.get(caller) ?? { running: 0, waiting: [] };
    if (lists.running === AT_A_TIME && lists.waiting.length >= WAITING) throw tooMany();
    this.#byCaller.set(caller, lists);
    let isRunning = false;
    let isClosed = false;
    // Emitted also for a response that was not sent because its connection has closed.
    response.once('close', () => {
      isClosed = true;
      if (isRunning) this.#release(caller, lists);
    });
    if (lists.running < AT_A_TIME) lists.running++;
    else if (!(await this.#turnOf(lists))) throw tooMany();
    isRunning = true;
    if (isClosed) this.#release(caller, lists);
  }

  /** Resolves to whether another list has ended in time. */
  #turnOf({ waiting }: Lists): Promise<boolean> {
    return new Promise((resolve) => {
      const proceed = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = after('wait of a list', MAX_WAIT_MS, () => {
        waiting.splice(waiting.indexOf(proceed), 1);
        resolve(false);
      }).unref();
      waiting.push(proceed);
    });
  }

  #release(caller: string, lists: Lists): void {
    const next = lists.waiting.shift();
    if (next !== undefined) next();
    else if (--lists.running === 0) this.#byCaller.delete(caller);
  }
}

function tooMany(): TooManyListsError {
  return new TooManyListsError(
    `${AT_A_TIME} of your lists are being sent, and others wait: read their responses before you request more`,
  );
}

/** Returns what identifies a caller that may have any User-Agent. */
export function nameOf({ apiKeyName, identity }: Caller): string {
  return apiKeyName === undefined ? `address ${networkOf(identity.address)}` : `key ${apiKeyName}`;
}
