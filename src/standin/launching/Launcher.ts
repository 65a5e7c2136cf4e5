import type { ChildProcessByStdio } from 'node:child_process';
import { closeSync, constants as files, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { startProgram } from '../../host/index.ts';
import type { Place } from '../contract.ts';
import { type End, type Launched, LauncherLost, type Launching, type LaunchRequest } from './contract.ts';
import { endOf } from './endOf.ts';
import { LAUNCHER, PRLIMIT, SETNS } from './script.ts';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Our ends of a command's stdin, stdout and stderr. */
type Pipes = readonly [stdin: number, stdout: number, stderr: number];

interface Asked {
  readonly resolve: (launched: Launched) => void;
  readonly reject: (error: Error) => void;
}

/** A process of its own that starts commands, see {@link LAUNCHER}. */
export class Launcher implements Launching {
  readonly inside: boolean;
  readonly #child: Child;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
  readonly #running = new Map<number, { end: (end: End) => void; lose: (error: Error) => void }>();
  /** Those of the next command; null while it is not known. */
  #pipes: Pipes | null = null;
  /** One at a time: each takes the pipes that were made ready after the one before. */
  #turn: Promise<unknown> = Promise.resolve();
  #asked: Asked | null = null;
  #lost: LauncherLost | null = null;
  #said = '';

  private constructor(child: Child, inside: boolean) {
    this.#child = child;
    this.inside = inside;
    this.gone = new Promise((resolve) => {
      child.once('close', (status, signal) => {
        this.#ended(new LauncherLost(`the process that starts commands ended with ${signal ?? status}`));
        resolve();
      });
    });
  }

  /**
   * Starts it and waits until it is ready.
   * @param place where it goes; null where it shall stay outside
   * @throws Error with its words, where this machine has no perl, or its kernel does not let it
   */
  static async start(place: Place | null): Promise<Launcher> {
    const setns = SETNS[process.arch];
    const namespaces = place?.namespaces ?? [];
    if (setns === undefined && namespaces.length > 0) throw new Error(`setns(2) is not known for ${process.arch}`);
    const calls = [setns ?? 0, PRLIMIT[process.arch] ?? 0];
    const child = startProgram('perl', ['-e', LAUNCHER, '--', ...calls.map(String), place?.root ?? '', ...namespaces], {
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C', PERL5LIB: undefined, PERL5OPT: undefined, PERL_UNICODE: undefined },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4096);
    });
    // Its end tells more.
    child.stdin.on('error', () => {});
    const launcher = new Launcher(child, place !== null);
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => reject(new Error(words.trim() || `it ended with ${signal ?? status}`)));
      child.stdout.setEncoding('latin1').on('data', (text: string) => {
        launcher.#hear(text);
        if (launcher.#pipes !== null) resolve();
      });
    });
    return launcher;
  }

  launch(request: LaunchRequest): Promise<Launched> {
    const launched = this.#turn.then(() => this.#launch(request));
    this.#turn = launched.catch(() => {});
    return launched;
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.gone;
  }

  #launch({ argv, env, cwd, account }: LaunchRequest): Promise<Launched> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const who = account === null ? ['', '', ''] : [account.uid, account.gid, (account.groups ?? []).join(' ')];
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const fields = Buffer.from([...who, cwd, argv.length, ...argv, ...variables].join('\0'));
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#child.stdin.write(Buffer.concat([Buffer.from(`${fields.length}\n`), fields]));
    });
  }

  #hear(text: string): void {
    const lines = (this.#said + text).split('\n');
    this.#said = lines.pop() ?? '';
    for (const line of lines) {
      const [what, ...words] = line.split(' ');
      const [first = 0, ...others] = words.map(Number);
      if (what === 'R') this.#open([first, ...others]);
      else if (what === 'S') this.#started(first, others);
      else if (what === 'E') this.#tell(first, others[0] ?? 0);
      else this.#answer(({ reject }) => reject(new Error(words.join(' '))));
    }
  }

  #started(pid: number, next: readonly number[]): void {
    const pipes = this.#pipes;
    if (pipes === null) return;
    const ended = new Promise<End>((end, lose) => this.#running.set(pid, { end, lose }));
    // Whoever never asks is not concerned.
    ended.catch(() => {});
    const [stdin, stdout, stderr] = pipes.map(
      (fd, index) => new Socket({ fd, readable: index > 0, writable: index === 0 }),
    ) as [Socket, Socket, Socket];
    this.#open(next);
    this.#answer(({ resolve }) => resolve({ pid, stdin, stdout, stderr, ended }));
  }

  /** Opens the pipes of the next command, which are still the launcher's alone. */
  #open(descriptors: readonly number[]): void {
    this.#pipes = null;
    const opened: number[] = [];
    try {
      for (const [index, descriptor] of descriptors.entries()) {
        const flags = (index === 0 ? files.O_WRONLY : files.O_RDONLY) | files.O_NONBLOCK;
        opened.push(openSync(`/proc/${this.#child.pid}/fd/${descriptor}`, flags));
      }
      this.#pipes = opened as unknown as Pipes;
    } catch {
      // It has just ended, or we have no descriptors left: without pipes it is of no use.
      for (const fd of opened) closeSync(fd);
      this.#child.kill('SIGKILL');
    }
  }

  #answer(how: (asked: Asked) => void): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) how(asked);
  }

  #tell(pid: number, status: number): void {
    const running = this.#running.get(pid);
    this.#running.delete(pid);
    running?.end(endOf(status));
  }

  /** What it started is nobody's any more: it ends too. */
  #ended(lost: LauncherLost): void {
    this.#lost = lost;
    for (const fd of this.#pipes ?? []) closeSync(fd);
    this.#pipes = null;
    for (const [pid, { lose }] of this.#running) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // ESRCH: it has just ended by itself.
      }
      lose(lost);
    }
    this.#running.clear();
    this.#answer(({ reject }) => reject(lost));
  }
}
