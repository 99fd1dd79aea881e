/** Older lines are removed from the page. */
const MAX_LINES = 500;
/** Somebody who has scrolled up to read is not moved. */
const NEAR_END_PX = 40;

/** The lines of the chat: what was sent, what was received, and notices. */
export class Log {
  #log;
  #empty;
  #isAtEnd = true;
  #height;

  constructor({ log, empty }) {
    this.#log = log;
    this.#empty = empty;
    this.#height = log.clientHeight;
    log.addEventListener('scroll', () => {
      // Its user has not scrolled: it became smaller.
      if (log.clientHeight !== this.#height) return;
      const { scrollHeight, scrollTop, clientHeight } = log;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    });
    // The keyboard of a phone, and the button below, make it smaller.
    new ResizeObserver(() => {
      this.#height = log.clientHeight;
      this.#follow();
    }).observe(log);
  }

  sent(text) {
    this.#isAtEnd = true;
    this.#add('sent', 'You', text);
  }

  received(text) {
    this.#add('received', 'Received', text);
  }

  notice(text) {
    this.#add('notice', undefined, text);
  }

  #add(kind, author, text) {
    const line = element('p', kind);
    if (author !== undefined) {
      const now = new Date();
      const time = element('time', '', now.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
      time.dateTime = now.toISOString();
      const byline = element('span', 'byline', `${author} `);
      byline.append(time);
      line.append(byline);
    }
    line.append(element('span', 'text', text));
    this.#empty.remove();
    this.#log.append(line);
    while (this.#log.childElementCount > MAX_LINES) this.#log.firstElementChild.remove();
    this.#follow();
  }

  #follow() {
    if (this.#isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }
}

function element(name, className, text = '') {
  const created = document.createElement(name);
  created.className = className;
  created.textContent = text;
  return created;
}
