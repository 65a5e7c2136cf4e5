import type { Readable } from 'node:stream';
import type { ServerChannel } from 'ssh2';
import { type End, type Launched, LauncherLost } from './launching/contract.ts';

/** One session's process, on pipes. It is the leader of a new process group, as a session of sshd is. */
export class Session {
  readonly #launching: Promise<Launched>;
  readonly #channel: ServerChannel;
  readonly #stands: () => Promise<boolean>;
  #sent: Promise<void> = Promise.resolve();
  readonly #gone: Promise<void>;
  /** Whether a kill was our own wish. */
  #unwanted = false;
  /** Whether it was signalled at all: then the end of the way in is the end that was asked for. */
  #signalled = false;

  /**
   * @param stands whether the testbed still stands; where not, it has ended the connection
   * @param lost ends the connection: how the command ended cannot be told
   * @param onEnd called when nothing is left of it
   */
  constructor(
    launching: Promise<Launched>,
    channel: ServerChannel,
    {
      stands,
      lost,
      onEnd,
    }: { stands: () => Promise<boolean>; lost: (error: Error) => void; onEnd: (session: Session) => void },
  ) {
    this.#launching = launching;
    this.#channel = channel;
    this.#stands = stands;
    this.#gone = new Promise((resolve) => channel.once('close', () => resolve()));
    channel.on('error', () => {});
    void launching
      .then(
        (process) =>
          this.#run(process).then(
            () => channel.end(),
            (error: Error) => lost(error),
          ),
        (error: Error) => (error instanceof LauncherLost ? lost(error) : this.#refuse(error)),
      )
      .then(() => onEnd(this));
  }

  /** Signals the whole process group, whoever of it is left. */
  signal(name: NodeJS.Signals): void {
    this.#unwanted ||= name === 'SIGKILL';
    this.#signalled = true;
    const send = ({ pid }: Launched) => {
      try {
        process.kill(-pid, name);
      } catch {
        // ESRCH: nobody is left, which is what was wanted.
      }
    };
    // Of one that does not start, nobody is left either.
    void this.#launching.then(send, () => {});
  }

  /** Resolves when it has ended, what it wrote is sent, and nobody holds its pipes any more. */
  async #run({ stdin, stdout, stderr, ended }: Launched): Promise<void> {
    const channel = this.#channel;
    const left = [stdout, stderr].map((from) => new Promise<void>((closed) => from.once('close', closed)));
    this.#pump(stdout, channel);
    this.#pump(stderr, channel.stderr);
    channel.pipe(stdin);
    stdin.on('error', () => {
      // The process does not read its stdin: what still comes is dropped, as a closed pipe would.
      channel.unpipe();
      channel.resume();
    });
    void this.#gone.then(() => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
    });
    try {
      await this.#tell(await ended);
      await Promise.all(left);
    } finally {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
      channel.resume();
    }
    // On a channel that is gone, ssh2 takes nothing more and says so to nobody.
    await Promise.race([this.#sent, this.#gone]);
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

  /** @throws Error where only the way into the testbed ended, so that an exit status would be made up */
  async #tell({ status, signal, untold = false }: End): Promise<void> {
    if (untold && !this.#signalled)
      throw new Error(`the way into the testbed ended with ${signal ?? status}, and a command's end was not told`);
    // Some ways in tell of a kill by the shell's exit status.
    const killed = signal === 'SIGKILL' || status === 137;
    if (killed && !this.#unwanted && !(await this.#stands())) return;
    if (signal === null) this.#channel.exit(status ?? 255);
    else this.#channel.exit(signal.replace(/^SIG/, ''), false);
  }

  /** The system would not start it: too many processes, no such program, a testbed that has gone. */
  async #refuse(error: Error): Promise<void> {
    if (await this.#stands()) refuse(this.#channel, error.message);
  }
}

/** Says why there is no session, as a shell would. */
export function refuse(channel: ServerChannel, why: string): void {
  channel.stderr.write(`trundle: ${why}\n`);
  channel.exit(126);
  channel.end();
}
