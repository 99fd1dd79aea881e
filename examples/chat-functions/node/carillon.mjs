/** The calls of the functions to Carillon: who is online, and the reverse push. */

const TIMEOUT_MS = 3_000;
/** How many pushes run at the same time. */
const CONCURRENCY = 32;
const GONE = 410;

export class Carillon {
  #url;
  #pushUrl;
  #apiKey;

  /**
   * @param url of any replica, or of the load balancer before them
   * @param apiKey only for the list of connections
   * @param pushSecret the reverse push needs no other credential
   */
  constructor({ url, apiKey, pushSecret }) {
    this.#url = url;
    this.#pushUrl = `${url}/push/chat/${pushSecret}`;
    this.#apiKey = apiKey;
  }

  /** Resolves to the ids of all connections to the chat, on whichever replica they are. */
  async online() {
    const ids = [];
    let cursor;
    do {
      const query = new URLSearchParams({ route: 'chat', limit: '1000', ...(cursor && { cursor }) });
      const response = await fetch(`${this.#url}/connections?${query}`, {
        headers: { 'x-api-key': this.#apiKey },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`GET /connections: status ${response.status}`);
      const { connections, next } = await response.json();
      ids.push(...connections.map(({ id }) => id));
      cursor = next;
    } while (cursor !== undefined);
    return ids;
  }

  /** Sends a text to each of these connections. A push that fails does not stop the others. */
  async sendToAll(ids, data) {
    const waiting = ids.values();
    const sendRest = async () => {
      for (const id of waiting)
        await this.#push({ action: 'data send', secConnectionID: id, dataType: 'text', data });
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, ids.length) }, sendRest));
  }

  async close(id) {
    await this.#push({ action: 'closing', secConnectionID: id });
  }

  async #push(websocket) {
    try {
      const response = await fetch(this.#pushUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ websocket }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const { errNo, errMsg } = await response.json();
      // A client may leave at any time.
      if (errNo !== 0 && errNo !== GONE) throw new Error(errMsg ?? `status ${response.status}`);
    } catch (error) {
      console.error(`push to ${websocket.secConnectionID} failed: ${error.message}`);
    }
  }
}
