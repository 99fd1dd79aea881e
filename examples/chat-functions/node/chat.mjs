/** The three functions of the chat. Carillon keeps the ids of its connections, so no function stores anything. */
export class Chat {
  #carillon;
  #isAnnouncing = false;
  #hasChanged = false;

  constructor(carillon) {
    this.#carillon = carillon;
  }

  /** A client connects. Carillon has stored its id just before. */
  async register({ websocket: { secConnectionID } }) {
    void this.#announce();
    return { errNo: 0, errMsg: 'ok', websocket: { action: 'connecting', secConnectionID } };
  }

  /** A client has sent a message: everybody else receives it. */
  async transport({ websocket: { secConnectionID, dataType, data } }) {
    if (dataType !== 'text') return { errNo: 1, errMsg: 'this chat takes text only' };
    const ids = await this.#carillon.online();
    const others = ids.filter((id) => id !== secConnectionID);
    // A frame may have several messages, one per line, so a message has no line breaks.
    const text = data.replaceAll(/[\r\n]+/g, ' ');
    await this.#carillon.sendToAll(others, `${text}${people(ids.length)}`);
    return { errNo: 0, errMsg: 'ok' };
  }

  /** A connection has ended. Carillon has removed its id just before. */
  async cleanup(event) {
    void this.#announce();
    // Confirms the closing. If the client has already gone, Carillon answers that there is no such connection.
    await this.#carillon.close(event.websocket.secConnectionID);
    return { errNo: 0, errMsg: 'ok', websocket: event.websocket };
  }

  /** Tells everybody how many are online: once for all who come and go while it does. */
  async #announce() {
    this.#hasChanged = true;
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    try {
      while (this.#hasChanged) {
        this.#hasChanged = false;
        const ids = await this.#carillon.online();
        await this.#carillon.sendToAll(ids, people(ids.length));
        // Another process may have announced a newer number before this one arrived.
        this.#hasChanged ||= (await this.#carillon.online()).length !== ids.length;
      }
    } catch (error) {
      console.error(`the number of people online was not announced: ${error.message}`);
    } finally {
      this.#isAnnouncing = false;
    }
  }
}

function people(count) {
  return `(===Online people:${count}===)`;
}
