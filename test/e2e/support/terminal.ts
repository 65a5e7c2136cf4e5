import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { IPty } from 'node-pty';
import { onTestFinished } from 'vitest';
import { root } from './cli.ts';

/** Milliseconds that anything awaited may take: far more than it ever should, so that only a fault shows. */
const PATIENCE = 90_000;

/** The program on a terminal of its own, as a person has it. */
export class Terminal {
  readonly ended: Promise<{ status: number; signal: number }>;
  readonly #pty: IPty;
  #output = '';
  #over = false;
  readonly #watchers = new Set<() => void>();

  /** @param program what runs there instead of the program alone, as a line for sh; `$TRUNDLE` is the program */
  constructor(words: readonly string[], env: Readonly<Record<string, string>>, program?: string) {
    const { spawn } = createRequire(import.meta.url)('node-pty') as typeof import('node-pty');
    const trundle = [process.execPath, join(root, 'dist/bin.cjs')];
    const [file = '', ...args] = program === undefined ? [...trundle, ...words] : ['/bin/sh', '-c', program];
    const { NO_COLOR: _colors, CI: _ci, _: _started, ...inherited } = process.env as Record<string, string>;
    this.#pty = spawn(file, args, {
      name: 'xterm-256color',
      cols: 80,
      rows: 24,
      cwd: root,
      env: { ...inherited, TRUNDLE: trundle.join(' '), ...env },
    });
    this.#pty.onData((text) => {
      this.#output += text;
      this.#look();
    });
    this.ended = new Promise((resolve) =>
      this.#pty.onExit(({ exitCode, signal = 0 }) => {
        this.#over = true;
        this.#look();
        resolve({ status: exitCode, signal });
      }),
    );
    onTestFinished(() => {
      if (!this.#over) this.#pty.kill('SIGKILL');
    });
  }

  /** Everything that was written to the terminal, escape sequences and all. */
  get output(): string {
    return this.#output;
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  /** Closes it, as a person closes a window. */
  close(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows);
  }

  /** Resolves once the terminal was written this. @throws Error where the program ends without it */
  shows(text: string | RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        how();
      };
      const fail = (why: string) =>
        settle(() => reject(new Error(`${why} without showing ${String(text)}\n${JSON.stringify(this.#output)}`)));
      const look = () => {
        if (typeof text === 'string' ? this.#output.includes(text) : text.test(this.#output)) settle(resolve);
        else if (this.#over) fail('the program ended');
      };
      const timer = setTimeout(() => fail(`${PATIENCE / 1000} s passed`), PATIENCE);
      this.#watchers.add(look);
      look();
    });
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
