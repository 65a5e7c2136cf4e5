import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { throwIfNoShell } from '../enter.ts';
import type { ProgramResult } from '../runProgram.ts';
import type { EntryShell, ShellEnd } from '../session/EntryShell.ts';

/** What stdin, stdout and stderr of the shell are of the init. */
const [STDIN, STDOUT, STDERR] = [3, 4, 5];

/** What a child's stdio has besides its own three where its init starts a shell. */
export const THREE_PIPES = ['pipe', 'pipe', 'pipe'] as const;

/** The line by which an init tells of its shell's end. */
const GONE = /^gone (\d+)$/m;

/**
 * The init of a testbed: reaps whom it is left, and ends when its stdin does, on SIGTERM, or by SIGKILL. Its end is
 * the end of every process in its pid namespace. A shell of the image; only what is built into it is used. Who kills all
 * that there is to kill, as kill(1) does with -1, kills who reads its stdin, but not the init: then another reads on.
 * @param withShell whether it first starts a {@link FirstShell}, of whose end it tells. Pure.
 */
export function initScript(withShell: boolean): string {
  return `trap 'exit 0' TERM
exec 8<&0 </dev/null
${withShell ? SHELL : ''}echo ready
${withShell ? SHELL_END : ''}exec >/dev/null 2>&1
while :; do
  ( read -r _ <&8 ) &
  wait $!
  ended=$?
  [ "$ended" -gt 128 ] || exit "$ended"
done`;
}

const SHELL = `LC_ALL=C.UTF-8 /bin/sh -s -- "$1" <&${STDIN} >&${STDOUT} 2>&${STDERR} ${STDIN}<&- ${STDOUT}>&- ${STDERR}>&- 8<&- 9<&- &
shell=$!
exec ${STDIN}<&- ${STDOUT}>&- ${STDERR}>&-
`;

/** Meanwhile its stdin is read by somebody who has it end. */
const SHELL_END = `exec 2>/dev/null
( exec >/dev/null; read -r _ <&8; kill -s TERM "$$" ) &
wait "$shell"
echo "gone $?"
`;

/**
 * A shell that an init of ours starts as soon as there is a testbed: the first way in, for which this process starts no
 * program and waits for none. It is the init's child, which tells of its end; its pipes are also held by who has started
 * the init, so they do not.
 */
export class FirstShell implements EntryShell {
  readonly stdin: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly exited: Promise<void>;
  readonly closed: Promise<ShellEnd>;
  #end: ShellEnd | null = null;
  #tell = () => {};

  constructor(child: ChildProcess) {
    this.stdin = socket(child, STDIN);
    this.stdout = socket(child, STDOUT);
    this.stderr = socket(child, STDERR);
    this.exited = new Promise((resolve) => {
      this.#tell = resolve;
    });
    this.closed = Promise.all([ended(this.stdout), ended(this.stderr), this.exited]).then(
      () => this.#end ?? { status: null, killedBy: null },
    );
    child.once('exit', () => this.#gone(null));
    void this.closed.then(() => this.stdin.destroy());
    // It may end before it has read everything.
    this.stdin.on('error', () => {});
  }

  /** Takes what the init says. */
  hear(said: string): void {
    const status = GONE.exec(said)?.[1];
    if (status !== undefined) this.#gone(Number(status));
  }

  hasEnded(): boolean {
    return this.#end !== null;
  }

  /** It ends with the testbed at the latest. */
  end(): void {
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
    this.#gone(null);
  }

  /** Its stdin has been closed, and the init sees to the rest. */
  farewell(): void {}

  explain(result: ProgramResult): void {
    throwIfNoShell('chroot', result);
  }

  #gone(status: number | null): void {
    if (this.#end !== null) return;
    this.#end = { status, killedBy: null };
    endOnceRead(this.stdout);
    endOnceRead(this.stderr);
    this.#tell();
  }
}

function socket(child: ChildProcess, descriptor: number): Socket {
  const stream = child.stdio[descriptor];
  if (!(stream instanceof Socket)) throw new Error(`the init was started without a pipe ${descriptor}`);
  return stream;
}

function ended(stream: Socket): Promise<void> {
  return new Promise((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
  });
}

/**
 * Ends a stream to which nobody writes any more, though somebody holds its other end: once two turns of the event loop,
 * each of which would have brought what there is, have brought nothing. A stream that is full is not read until whoever
 * reads it goes on.
 */
function endOnceRead(stream: Socket, seen = -1, quiet = 0): void {
  if (stream.destroyed || stream.readableEnded) return;
  const read = stream.bytesRead;
  if (stream.readableLength >= stream.readableHighWaterMark && stream.readableFlowing !== true)
    stream.once('resume', () => endOnceRead(stream));
  else if (read !== seen) setImmediate(endOnceRead, stream, read, 0);
  else if (quiet < 1) setImmediate(endOnceRead, stream, read, quiet + 1);
  else stream.push(null);
}
