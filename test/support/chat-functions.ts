import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/chat-functions');
const programs = {
  node: { command: process.execPath, script: 'node/server.mjs' },
  python: { command: 'python3', script: 'python/server.py' },
};

export const chatSecrets = {
  CARILLON_API_KEY: 'a-key-of-the-chat-functions',
  PUSH_SECRET: 'a-secret-of-the-push-url',
  SIGNING_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
};

/** The functions of `examples/chat-functions` in their own process. */
export class ChatFunctions implements AsyncDisposable {
  private constructor(
    private readonly process: ChildProcess,
    /** Of the page. */
    readonly url: string,
  ) {}

  /** Resolves when the process says where the chat is. */
  static async start(language: keyof typeof programs, carillonUrl: string): Promise<ChatFunctions> {
    const { command, script } = programs[language];
    const child = spawn(command, [resolve(EXAMPLE, script)], {
      env: { PATH: process.env['PATH'], CHAT_PORT: '0', CARILLON_URL: carillonUrl, ...chatSecrets },
      stdio: ['ignore', 'pipe', process.env['CARILLON_TEST_LOGS'] === '1' ? 'inherit' : 'ignore'],
    });
    const exit = once(child, 'exit').then(() => undefined);
    for (;;) {
      const line = await Promise.race([once(createInterface(child.stdout), 'line'), exit]);
      if (line === undefined) throw new Error(`the ${language} functions exited`);
      const [, url] = /^The chat is at (\S+)$/.exec(String(line[0])) ?? [];
      if (url !== undefined) return new ChatFunctions(child, url);
    }
  }

  /**
   * The configuration of the example, for these functions.
   * @param origins of all pages that may connect
   */
  configuration(origins: readonly string[] = [this.url]): object {
    const port = new URL(this.url).port;
    const text = readFileSync(resolve(EXAMPLE, 'carillon.json'), 'utf8')
      .replaceAll(':4000', `:${port}`)
      .replace('PUSH_SECRET', chatSecrets.PUSH_SECRET)
      .replace('SIGNING_SECRET', chatSecrets.SIGNING_SECRET);
    const { gateway, ...rest } = JSON.parse(text) as { gateway: object };
    return { ...rest, gateway: { ...gateway, allowedOrigins: origins } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}
