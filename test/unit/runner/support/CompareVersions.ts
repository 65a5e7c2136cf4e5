import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Reads left, relation and right, a line each; answers with the exit status and the first line of what was said. */
const SCRIPT = `while IFS= read -r left && IFS= read -r relation && IFS= read -r right; do
  said=$(dpkg --compare-versions "$left" "$relation" "$right" 2>&1)
  printf '%s %s\\n' "$?" "\${said%%
*}"
done`;

/** One shell that asks the program `dpkg --compare-versions`, which takes it some 3 ms. */
export class CompareVersions implements AsyncDisposable {
  readonly #shell: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    this.#shell = spawn('sh', ['-c', SCRIPT]);
    this.#shell.stderr.resume();
    this.#lines = createInterface({ input: this.#shell.stdout })[Symbol.asyncIterator]();
  }

  /** One question at a time. */
  async ask(left: string, relation: string, right: string): Promise<{ status: number; said: string }> {
    this.#shell.stdin.write(`${left}\n${relation}\n${right}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the shell ended at ${left} ${relation} ${right}`);
    const space = value.indexOf(' ');
    return { status: Number(value.slice(0, space)), said: value.slice(space + 1) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#shell, 'close');
    this.#shell.stdin.end();
    await ended;
  }
}
