import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { byTurns } from './options.ts';
import type { BenchRow } from './row.ts';
import { virtServerComesAndGoes } from './virtServer.ts';

const program = fileURLToPath(new URL('children/comeAndGo.mjs', import.meta.url));
const library = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** What is measured, and against what. */
export interface ComeAndGo {
  readonly name: string;
  /** A backend's words. */
  readonly ours: readonly string[];
  /** The argv of one of Debian's programs. */
  readonly reference: readonly string[];
  readonly rounds: number;
  readonly target: number;
  /** A prefix of whatever the reference starts. */
  readonly within?: readonly string[];
}

/** Open, one command, close: ours as in a runner that runs already, the reference as a runner starts it. */
export async function comeAndGo({ name, ours, reference, rounds, target, within = [] }: ComeAndGo): Promise<BenchRow> {
  await using runner = await Runner.start();
  // Once before: the image is unpacked, by the first that needs it.
  await runner.comeAndGo(ours);
  const figures = await byTurns(
    rounds,
    () => runner.comeAndGo(ours),
    () => virtServerComesAndGoes(reference, within),
  );
  const ratio = figures.ours / figures.reference;
  const figure = `${name}: open, one command, close`;
  return { figure, ...figures, unit: 'ms', ratio, target: `<= ${target} x`, met: ratio <= target };
}

/** A process that has the built library, and nothing else. */
class Runner implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([status]) => {
      throw new Error(`${program} ended with ${status}`);
    });
    this.#ended.catch(() => {});
  }

  static async start(): Promise<Runner> {
    if (!existsSync(library)) throw new Error('dist/ is empty: npm run build');
    const runner = new Runner(fork(program, { execArgv: [] }));
    await runner.#answer();
    return runner;
  }

  /** Milliseconds that a testbed of a backend takes to be opened, to run `true`, and to be closed. */
  async comeAndGo(words: readonly string[]): Promise<number> {
    this.#child.send(words);
    const { milliseconds: taken, error } = await this.#answer();
    if (taken === undefined) throw new Error(error);
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect();
    await this.#ended.catch(() => {});
  }

  async #answer(): Promise<{ milliseconds?: number; error?: string }> {
    const [answer] = await Promise.race([once(this.#child, 'message'), this.#ended]);
    return answer;
  }
}
