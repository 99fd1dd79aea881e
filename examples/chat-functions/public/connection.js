/** The server closes with this code if it does not want the client back. */
const NORMAL_CLOSURE = 1000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** After so long, a connection counts as working, and the pauses begin again from the first. */
const STABLE_AFTER_MS = 5_000;

/**
 * A WebSocket that reconnects with growing pauses, except after the server has closed it for good. The pauses are random, so that
 * the clients of a server that restarts do not all come back at the same time.
 *
 * Events: `state` (its detail is `connecting`, `open`, `waiting` or `closed`), `frame` (its detail is the text), and `ended` when an
 * open connection has ended.
 */
export class Connection extends EventTarget {
  #url;
  #socket;
  #failures = 0;
  #timer;

  constructor(url) {
    super();
    this.#url = url;
    globalThis.addEventListener('online', () => {
      if (this.#timer !== undefined) this.connect();
    });
  }

  /** Connects immediately, unless a connection is open or being opened. */
  connect() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#socket !== undefined) return;
    this.#emit('state', 'connecting');
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    let openedAt;
    socket.addEventListener('open', () => {
      openedAt = performance.now();
      this.#emit('state', 'open');
    });
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#emit('frame', data);
    });
    socket.addEventListener('close', ({ code }) => {
      this.#socket = undefined;
      if (openedAt !== undefined) this.#emit('ended');
      if (performance.now() - openedAt >= STABLE_AFTER_MS) this.#failures = 0;
      if (code === NORMAL_CLOSURE) this.#emit('state', 'closed');
      else this.#connectLater();
    });
  }

  /** Returns whether the text could be sent. */
  send(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  #connectLater() {
    const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.connect(), longestMs * (0.5 + Math.random() / 2));
    this.#emit('state', 'waiting');
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
