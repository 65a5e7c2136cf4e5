import { closeSync, existsSync, constants as files, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ServerChannel } from 'ssh2';
import type { PtyRequest, SessionProcess } from './contract.ts';

/** What is used of node-pty. Its own types are not asked: it may be missing where this is compiled. */
export interface NodePty {
  spawn(
    program: string,
    args: readonly string[],
    /** With encoding null, bytes are given and taken. */
    options: { name: string; cols: number; rows: number; cwd: string; env: Record<string, string>; encoding: null },
  ): Pty;
}

interface Pty {
  readonly pid: number;
  /** Path of the process's side of the terminal. */
  readonly ptsName: string;
  /** What it reads from; none of its public interface. */
  readonly _socket?: Readable;
  onData(listener: (data: Buffer) => void): void;
  onExit(listener: (end: { exitCode: number; signal?: number }) => void): void;
  write(data: Buffer): void;
  pause(): void;
  resume(): void;
  resize(columns: number, rows: number): void;
}

/** Loads node-pty, an optional dependency; null where it is not installed or was not built. */
export function loadPty(): Promise<NodePty | null> {
  try {
    return Promise.resolve(createRequire(import.meta.url)('node-pty') as NodePty);
  } catch {
    return Promise.resolve(null);
  }
}

/** Of no size are some serial lines, and programs would take it for a single column: they get the usual one. */
function sizeOf({ columns, rows }: Pick<PtyRequest, 'columns' | 'rows'>): { cols: number; rows: number } {
  return { cols: columns || 80, rows: rows || 24 };
}

/** More bytes than a terminal and a stream hold: what comes beyond them, somebody else prints on and on. */
const MOST_LEFT = 1024 * 1024;

/** One session's process, on a pseudo-terminal. */
export class PtySession {
  readonly #pty: Pty;
  /** Whether its end was our own wish. */
  #signalled = false;
  /** Bytes that came since that was last asked. */
  #since = 0;
  /** Resolves when the client takes more, or need not. */
  #flowing: Promise<void> = Promise.resolve();
  #flow = () => {};

  /** @param stands whether the testbed still stands; where not, it has ended the connection */
  constructor(
    nodePty: NodePty,
    request: PtyRequest,
    process: SessionProcess,
    channel: ServerChannel,
    { stands, onEnd }: { stands: () => Promise<boolean>; onEnd: (session: PtySession) => void },
  ) {
    const [program = '', ...args] = process.argv;
    this.#pty = nodePty.spawn(program, args, {
      name: request.term,
      ...sizeOf(request),
      cwd: existsSync(process.cwd) ? process.cwd : '/',
      env: { ...process.env, TERM: request.term },
      encoding: null,
    });
    // Node takes a terminal that its last process has left for ended, before it has read all that was written there:
    // so we stay on it until the process's end is told.
    const held = openSync(this.#pty.ptsName, files.O_RDWR | files.O_NOCTTY);
    this.#pty.onData((data) => {
      this.#since += data.length;
      if (channel.write(data)) return;
      this.#pty.pause();
      this.#flowing = new Promise((resolve) => {
        const go = () => {
          channel.off('drain', go).off('close', go);
          this.#pty.resume();
          resolve();
        };
        this.#flow = go;
        channel.on('drain', go).on('close', go);
      });
    });
    this.#readOut();
    channel.on('data', (chunk: Buffer) => this.#pty.write(chunk));
    channel.on('error', () => {});
    channel.once('close', () => this.signal('SIGHUP'));
    this.#pty.onExit(async ({ exitCode, signal = 0 }) => {
      closeSync(held);
      const killed = signal === constants.signals.SIGKILL || exitCode === 137;
      const doubtful = killed || (process.daemon === true && (signal !== 0 || exitCode !== 0));
      if (!doubtful || this.#signalled || (await stands())) {
        if (signal !== 0) channel.exit(signalName(signal), false);
        else channel.exit(exitCode);
        channel.end();
      }
      onEnd(this);
    });
  }

  resize(to: Pick<PtyRequest, 'columns' | 'rows'>): void {
    const size = sizeOf(to);
    this.#pty.resize(size.cols, size.rows);
  }

  /**
   * Has all be read that was written there. node-pty waits for 200 ms after the process's end and then throws away what
   * is unread, whether the client takes long or we do; here it has nothing left when a turn of the event loop brings none.
   */
  #readOut(): void {
    const { _socket: socket } = this.#pty;
    if (socket === undefined) return;
    const destroy = socket.destroy.bind(socket);
    socket.destroy = (error) => {
      socket.destroy = destroy;
      void this.#untilQuiet().then(() => destroy(error));
      return socket;
    };
  }

  async #untilQuiet(): Promise<void> {
    for (let left = MOST_LEFT; left > 0; left -= this.#since) {
      await this.#flowing;
      this.#since = 0;
      // The first ends the turn that is under way.
      for (let turn = 0; turn < 2; turn++) await setImmediate();
      if (this.#since === 0) return;
    }
  }

  /** Signals the whole process group, whoever of it is left. */
  signal(name: NodeJS.Signals): void {
    this.#signalled = true;
    // Whoever has it killed does not wait for a client that takes no more.
    if (name === 'SIGKILL') this.#flow();
    try {
      process.kill(-this.#pty.pid, name);
    } catch {
      // ESRCH: nobody is left, which is what was wanted.
    }
  }
}

function signalName(number: number): string {
  const names: Record<number, string> = {
    1: 'HUP',
    2: 'INT',
    3: 'QUIT',
    6: 'ABRT',
    9: 'KILL',
    11: 'SEGV',
    13: 'PIPE',
    15: 'TERM',
  };
  return names[number] ?? 'TERM';
}
