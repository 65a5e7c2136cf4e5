import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One perl with dpkg's own modules, which answers questions as fast as they can be put: see dpkg.pl. */
export class Dpkg implements AsyncDisposable {
  readonly #perl: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    this.#perl = spawn('perl', [fileURLToPath(new URL('dpkg.pl', import.meta.url))], {
      // Else programs ask a compiler for it each time.
      env: { ...process.env, DEB_BUILD_ARCH: 'amd64', DEB_HOST_ARCH: 'amd64' },
    });
    this.#perl.stderr.resume();
    this.#lines = createInterface({ input: this.#perl.stdout })[Symbol.asyncIterator]();
  }

  /** One question at a time. */
  async ask<T>(question: string, ...words: readonly unknown[]): Promise<T> {
    this.#perl.stdin.write(`${JSON.stringify([question, ...words])}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`perl ended at ${question} ${JSON.stringify(words)}`);
    const answer = JSON.parse(value);
    if (answer !== null && typeof answer === 'object' && 'died' in answer) {
      throw new Error(`${question} ${JSON.stringify(words)}: ${answer.died}`);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#perl, 'close');
    this.#perl.stdin.end();
    await ended;
  }
}
