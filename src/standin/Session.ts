import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ServerChannel } from 'ssh2';
import type { SessionProcess } from './contract.ts';

/** One session's process, on pipes. It is the leader of a new process group, as a session of sshd is. */
export class Session {
  readonly #child: ChildProcess;
  readonly #channel: ServerChannel;
  readonly #onEnd: (session: Session) => void;
  readonly #stands: () => Promise<boolean>;
  #exited = false;
  #sent: Promise<void> = Promise.resolve();
  readonly #gone: Promise<void>;
  /** Whether a kill was our own wish. */
  #unwanted = false;
  /** Resolves when the end is told, or need not be. */
  #told: Promise<void> = Promise.resolve();

  /** @param stands whether the testbed still stands; where not, it has ended the connection */
  constructor(
    process: SessionProcess,
    channel: ServerChannel,
    onEnd: (session: Session) => void,
    stands: () => Promise<boolean>,
  ) {
    this.#channel = channel;
    this.#stands = stands;
    this.#onEnd = onEnd;
    this.#gone = new Promise((resolve) => channel.once('close', () => resolve()));
    const [program = '', ...args] = process.argv;
    // sshd goes on in / where the home directory is missing.
    const cwd = existsSync(process.cwd) ? process.cwd : '/';
    this.#child = spawn(program, args, {
      cwd,
      env: { ...process.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#wire();
  }

  /** Signals the whole process group, whoever of it is left. */
  signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#unwanted ||= name === 'SIGKILL';
    try {
      process.kill(-pid, name);
    } catch {
      // ESRCH: nobody is left, which is what was wanted.
    }
  }

  #wire(): void {
    const child = this.#child;
    const channel = this.#channel;
    child.once('error', (error) => {
      channel.stderr.write(`${error.message}\n`);
      this.#exit(127, null);
      this.#closed();
    });
    child.once('exit', (code, signal) => this.#exit(code, signal));
    child.once('close', () => this.#closed());
    this.#pump(child.stdout as Readable, channel);
    this.#pump(child.stderr as Readable, channel.stderr);
    channel.pipe(child.stdin as NodeJS.WritableStream);
    child.stdin?.on('error', () => {
      // The process does not read its stdin: what still comes is dropped, as a closed pipe would.
      channel.unpipe();
      channel.resume();
    });
    channel.once('close', () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.stdin?.destroy();
    });
    channel.on('error', () => {});
  }

  /**
   * One piece at a time, of stdout or of stderr: of two that wait for the client to take more, ssh2 1.17 remembers one,
   * and one that has gone out it would send again in place of the other.
   */
  #pump(from: Readable, to: NodeJS.WritableStream): void {
    from.on('data', (chunk: Buffer) => {
      from.pause();
      this.#sent = this.#sent.then(() => new Promise((taken) => to.write(chunk, () => taken(this.#forget()))));
      void this.#sent.then(() => from.resume());
    });
    from.on('error', () => {});
  }

  /** What ssh2 still remembers of a piece that is gone. */
  #forget(): void {
    const nothing = { _chunk: undefined, _chunkcb: undefined, _chunkErr: undefined, _chunkcbErr: undefined };
    Object.assign(this.#channel, nothing);
  }

  #exit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exited) return;
    this.#exited = true;
    const tell = () => {
      if (signal === null) this.#channel.exit(code ?? 255);
      else this.#channel.exit(signal.replace(/^SIG/, ''), false);
    };
    // Some ways in tell of a kill by the shell's exit status.
    if ((signal === 'SIGKILL' || code === 137) && !this.#unwanted)
      this.#told = this.#stands().then((stands) => {
        if (stands) tell();
      });
    else tell();
  }

  #closed(): void {
    // On a channel that is gone, ssh2 takes nothing more and says so to nobody.
    const sent = Promise.race([this.#sent, this.#gone]);
    void Promise.all([this.#told, sent]).then(() => {
      this.#channel.end();
      this.#onEnd(this);
    });
  }
}
