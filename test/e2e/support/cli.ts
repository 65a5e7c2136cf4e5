import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { EventType, TrundleEvent } from '../../../src/events/index.ts';
import { workplace } from '../../support/workplace.ts';

/** The project's directory. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Milliseconds that anything awaited may take: far more than it ever should, so that only a fault shows. */
const PATIENCE = 90_000;

/** How to start the program. */
export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which is then at its end; null leaves stdin open. */
  readonly stdin?: string | Uint8Array | null;
  /** Modules that Node loads before the program. */
  readonly preload?: readonly string[];
  /** A file descriptor for stdout, instead of a pipe that is read. */
  readonly stdout?: number;
  /** Another program than the command line: one that embeds the library. */
  readonly program?: string;
  /** Started by a hook and not by a test: nobody ends it before it ends by itself. */
  readonly outlives?: boolean;
}

/** How the program ended. */
export interface CliEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program, running. */
export class Cli {
  readonly process: ChildProcess;
  readonly ended: Promise<CliEnd>;
  #stdout = '';
  #stderr = '';
  readonly #watchers = new Set<() => void>();
  #over = false;

  constructor(words: readonly string[], options: CliOptions = {}) {
    const { cwd = root, env = {}, stdin = '', preload = [], program = join(root, 'dist/bin.cjs') } = options;
    const node = preload.flatMap((module) => ['--import', module]);
    this.process = spawn(process.execPath, [...node, program, ...words], {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['pipe', options.stdout ?? 'pipe', 'pipe'],
    });
    const { stdin: input, stdout, stderr } = this.process;
    input?.on('error', () => {});
    if (stdin !== null) input?.end(stdin);
    stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.ended = once(this.process, 'close').then(([status, signal]) => {
      this.#over = true;
      this.#look();
      return { status, signal, stdout: this.#stdout, stderr: this.#stderr };
    });
    if (options.outlives !== true) onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Resolves once stderr, or stdout, holds this text. @throws Error where the program ends without it */
  async says(text: string, times = 1): Promise<void> {
    await this.#until(
      () => this.#stderr.split(text).length > times || this.#stdout.split(text).length > times,
      `saying ${JSON.stringify(text)}`,
    );
  }

  /** The first event of this type that --json printed. @throws Error where the program ends without it */
  async event<T extends EventType>(
    type: T,
    accept: (event: TrundleEvent<T>) => boolean = () => true,
  ): Promise<TrundleEvent<T>> {
    const find = () => eventsIn(this.#stdout).find((event) => event.type === type && accept(event as TrundleEvent<T>));
    await this.#until(() => find() !== undefined, `the event ${type}`);
    return find() as TrundleEvent<T>;
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #until(done: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        how();
      };
      const fail = (why: string) =>
        settle(() =>
          reject(new Error(`${why} without ${what}\n--- stdout\n${this.#stdout}\n--- stderr\n${this.#stderr}`)),
        );
      const look = () => {
        if (done()) settle(resolve);
        else if (this.#over) fail('the program ended');
      };
      const timer = setTimeout(() => fail(`${PATIENCE / 1000} s passed`), PATIENCE);
      this.#watchers.add(look);
      look();
    });
  }
}

/** Starts the program and waits for its end. */
export function cli(words: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  return new Cli(words, options).ended;
}

/** The events that --json printed; a line that is not finished yet is left out. */
export function eventsIn(stdout: string): TrundleEvent[] {
  return stdout
    .slice(0, stdout.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrundleEvent);
}

/** A state directory of the running test's own, as environment: no other run is known there. */
export function ownState(): { XDG_STATE_HOME: string } {
  return { XDG_STATE_HOME: workplace() };
}

/** The environment without what would change what the program prints, and without a nohup(1) that started the tests. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _colors, FORCE_COLOR: _force, CI: _ci, TERM: _term, _: _started, ...rest } = process.env;
  return { ...rest, TERM: 'xterm-256color' };
}
