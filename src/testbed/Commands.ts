import { setMaxListeners } from 'node:events';
import { PassThrough, Readable, Transform } from 'node:stream';
import type { ExecSpec, ExecStreams, Messenger } from '../driver/index.ts';
import type { Cause, EventDraft, TrundleEvent } from '../events/index.ts';
import type { CommandEnd, ExecOptions, RunningCommand } from './contract.ts';
import { lineOf } from './lineOf.ts';

/** Bytes of an output that may wait for its reader: an SSH packet alone is twice what Node's streams hold by themselves. */
const BUFFER = 1024 * 1024;

/** What the commands of a testbed need. */
export interface CommandsOptions {
  testbed: string;
  append: (draft: EventDraft) => void;
  /** Keeps a chunk of a stream in the trace. */
  keep: (stream: string, chunk: Uint8Array) => void;
  resize: (command: string, size: { columns: number; rows: number }) => void;
}

/** How a command is started, beyond what its caller says. */
export interface StartOptions extends ExecOptions {
  /** Whether what it prints goes into the trace (default true); copies say no. */
  record?: boolean;
  /** Id of the copy that it carries out. */
  copy?: string;
  /** The login shell itself instead of a command. */
  shell?: boolean;
}

interface InFlight {
  readonly spec: ExecSpec;
  readonly streams: ExecStreams;
  readonly sweepBy: Messenger | undefined;
  readonly settle: (end: CommandEnd) => void;
  /** Why it was called off, where it was. */
  reason?: string;
}

/** The commands of one testbed that are in flight: what they run, their streams, and who waits for their end. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #inFlight = new Map<string, InFlight>();
  #made = 0;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Asks for a command. Its end always comes: as an event, and so as the promise `ended`. */
  start(command: readonly string[] | string, options: StartOptions): RunningCommand {
    const { append, testbed } = this.#options;
    this.#made += 1;
    const id = `${testbed}.x${this.#made}`;
    const stdout = this.#stream(`${id}.stdout`, options);
    const stderr = this.#stream(`${id}.stderr`, options);
    const stdin = readableOf(options.stdin);
    const ended = new Promise<CommandEnd>((settle) => {
      const streams: ExecStreams = { stdout, stderr, ...(stdin === undefined ? {} : { stdin }) };
      this.#inFlight.set(id, {
        spec: specOf(command, options),
        streams,
        sweepBy: options.sweepBy,
        settle,
      });
    });
    this.#cancelOn(options.signal, id, ended);
    // What could not be read is not the end of what was to be read: the command must not take it for that.
    stdin?.once('error', (error) => this.#cancel(id, `reading its stdin failed: ${error.message}`));
    append({
      type: 'command.requested',
      testbed,
      from: 'runner',
      command: id,
      line: lineOf(command),
      login: options.login ?? '',
      timeout: options.timeout ?? null,
      pty: options.pty !== undefined,
      sweep: options.sweep ?? false,
      ...(options.drain === undefined ? {} : { drain: options.drain }),
      ...(options.copy === undefined ? {} : { copy: options.copy }),
    });
    const resize = (size: { columns: number; rows: number }) => this.#options.resize(id, size);
    return { command: id, stdout, stderr, ended, resize };
  }

  /** What the driver needs of a command; null for one that is over. */
  find(command: string): Pick<InFlight, 'spec' | 'streams' | 'sweepBy'> | null {
    return this.#inFlight.get(command) ?? null;
  }

  /** Ends the streams of a command that has concluded and tells who waits. */
  conclude({ command, result, leaked, cause }: TrundleEvent<'command.concluded'>): void {
    this.#settle({ command, result, leaked, cause });
  }

  /** Tells everybody who waits that no end will come. */
  concludeAll(cause: Cause): void {
    for (const command of [...this.#inFlight.keys()]) {
      this.#settle({ command, result: { kind: 'lost', how: 'local' }, leaked: false, cause });
    }
  }

  #settle(end: CommandEnd): void {
    const inFlight = this.#inFlight.get(end.command);
    if (inFlight === undefined) return;
    this.#inFlight.delete(end.command);
    for (const stream of [inFlight.streams.stdout, inFlight.streams.stderr]) if (!stream.writableEnded) stream.end();
    const { reason } = inFlight;
    inFlight.settle(reason === undefined || end.result.kind !== 'cancelled' ? end : { ...end, reason });
  }

  #cancelOn(signal: AbortSignal | undefined, command: string, ended: Promise<CommandEnd>): void {
    if (signal === undefined) return;
    const cancel = () => this.#cancel(command, String(signal.reason?.message ?? signal.reason));
    // Not before command.requested is in the trace.
    if (signal.aborted) queueMicrotask(cancel);
    else {
      // One signal may be for any number of commands.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', cancel, { once: true });
      void ended.then(() => signal.removeEventListener('abort', cancel));
    }
  }

  #cancel(command: string, reason: string): void {
    const inFlight = this.#inFlight.get(command);
    if (inFlight === undefined) return;
    inFlight.reason ??= reason;
    const { append, testbed } = this.#options;
    append({ type: 'cancel.requested', testbed, from: 'runner', command, reason });
  }

  #stream(name: string, options: StartOptions): Transform {
    if (options.record === false) return new PassThrough({ highWaterMark: BUFFER });
    const { keep } = this.#options;
    return new Transform({
      highWaterMark: BUFFER,
      transform(chunk: Uint8Array, _encoding, done) {
        keep(name, chunk);
        done(null, chunk);
      },
    });
  }
}

function specOf(command: readonly string[] | string, options: StartOptions): ExecSpec {
  const { env, cwd, pty, shell } = options;
  const program =
    shell === true ? { shell: true } : typeof command === 'string' ? { line: command } : { argv: command };
  return { ...program, ...(env ? { env } : {}), ...(cwd === undefined ? {} : { cwd }), ...(pty ? { pty } : {}) };
}

function readableOf(stdin: ExecOptions['stdin']): Readable | undefined {
  if (stdin === undefined || stdin instanceof Readable) return stdin;
  return Readable.from([typeof stdin === 'string' ? Buffer.from(stdin) : stdin], { objectMode: false });
}
