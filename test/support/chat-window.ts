import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { WAIT_MS } from './wait-ms.ts';

/** A window with the page of `examples/chat-functions`, driven as its user sees it: by roles, names and texts. */
export class ChatWindow {
  /** What the browser reported: exceptions, failed requests, violations of the content security policy. */
  readonly errors: string[] = [];
  readonly input: Locator;
  readonly sendButton: Locator;

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
    this.input = page.getByRole('textbox', { name: 'Your message' });
    this.sendButton = page.getByRole('button', { name: 'Send' });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<ChatWindow> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(WAIT_MS);
    const window = new ChatWindow(page);
    await page.goto(url);
    await window.says('Connected');
    return window;
  }

  /** Resolves when the page shows this as the state of the connection, or as the number of people online. */
  async says(status: string): Promise<void> {
    await this.page
      .getByRole('status')
      .and(this.page.getByText(status, { exact: true }))
      .waitFor();
  }

  /** Resolves when the log has this line. */
  async shows(kind: 'sent' | 'received' | 'notice', text: string): Promise<void> {
    await this.#lines
      .and(this.page.locator(`.${kind}`))
      .getByText(text, { exact: true })
      .last()
      .waitFor();
  }

  /** Resolves when the last line can be seen without scrolling. */
  async showsEnd(): Promise<void> {
    const log = await this.page.getByRole('log').elementHandle();
    await this.page.waitForFunction((element) => {
      const end = element?.lastElementChild?.getBoundingClientRect().bottom;
      return end !== undefined && end <= (element?.getBoundingClientRect().bottom ?? 0);
    }, log);
  }

  /** Resolves to the lines of the log, such as `received: hello`. */
  async lines(): Promise<string[]> {
    return this.#lines.evaluateAll((lines) =>
      lines.map((line) => `${line.className}: ${line.querySelector('.text')?.textContent}`),
    );
  }

  async send(text: string): Promise<void> {
    await this.input.fill(text);
    await this.sendButton.click();
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  get #lines(): Locator {
    return this.page.getByRole('log').locator('p:not(#empty)');
  }
}
