import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { milliseconds } from './options.ts';

/** One of Debian's autopkgtest-virt-* programs, spoken to as autopkgtest does: a line for a command, a line for its answer. */
export class VirtServer {
  /** Its directory for whatever is copied to the testbed; known once it is open. */
  scratch = '';
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #within: readonly string[];
  #prefix: readonly string[] = [];

  private constructor(argv: readonly string[], within: readonly string[]) {
    this.#within = within;
    const [program = '', ...args] = [...within, ...argv];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin.on('error', () => {});
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Starts it and has it open a testbed.
   * @param within a prefix of that, and of each command
   */
  static async open(argv: readonly string[], within: readonly string[] = []): Promise<VirtServer> {
    const server = new VirtServer(argv, within);
    await server.#answer('its greeting');
    [server.scratch = ''] = await server.say('open');
    // Its words are quoted twice.
    const [words = ''] = await server.say('print-execute-command');
    server.#prefix = words.split(',').map(decodeURIComponent);
    return server;
  }

  /** Gives a command and waits for its answer. @throws Error unless that is `ok` */
  async say(...words: string[]): Promise<string[]> {
    this.#child.stdin.write(`${words.map(encodeURIComponent).join(' ')}\n`);
    return await this.#answer(words.join(' '));
  }

  /** Runs a command by what the server prints for that. */
  async exec(argv: readonly string[]): Promise<void> {
    const [program = '', ...args] = [...this.#within, ...this.#prefix, ...argv];
    const [status, signal] = await once(spawn(program, args, { stdio: 'ignore' }), 'exit');
    if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status ?? signal}`);
  }

  async close(): Promise<void> {
    await this.say('close');
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end('quit\n');
    await ended;
  }

  async #answer(to: string): Promise<string[]> {
    const { value, done } = await this.#answers.next();
    const [how, ...words] = done === true ? ['nothing'] : String(value).split(' ');
    if (how !== 'ok') throw new Error(`${this.#child.spawnfile} answers ${how} ${words.join(' ')} to ${to}`);
    return words.map(decodeURIComponent);
  }
}

/** Milliseconds from the start of such a program to its end: it opens a testbed, runs one command there, and closes it. */
export function virtServerComesAndGoes(argv: readonly string[], within: readonly string[] = []): Promise<number> {
  return milliseconds(async () => {
    const server = await VirtServer.open(argv, within);
    await server.exec(['true']);
    await server.close();
  });
}
