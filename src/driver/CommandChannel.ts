import { Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { EventData, EventDraft, EventType, Loss } from '../events/index.ts';
import type { Connection } from './Connection.ts';
import { resizeChannel, signalChannel } from './channelRequests.ts';
import type { DriverHost, ExecSpec, ExecStreams } from './contract.ts';
import { BadSpecError, isPosixShell, launchLine, type OutputStream } from './launchLine.ts';
import { MarkerFilter } from './MarkerFilter.ts';
import type { ProcessGroup } from './probe.ts';
import { isNoRoom } from './Sessions.ts';

/** What to run on which connection. */
export interface ChannelRequest {
  command: string;
  spec: ExecSpec;
  streams: ExecStreams;
  /** Makes the marker of this command unmistakable. */
  nonce: string;
}

/** One command on one channel: its streams, its end, and the events that tell them in order. */
export class CommandChannel {
  readonly command: string;
  readonly connection: Connection;
  /** Process group of the remote command, once the marker has told it. */
  group: ProcessGroup | null = null;
  /** Whether the command has ended; what it left behind may hold its output open. */
  exited = false;
  readonly #host: DriverHost;
  readonly #request: ChannelRequest;
  readonly #onEnd: (channel: CommandChannel) => void;
  readonly #filters: Readonly<Record<OutputStream, MarkerFilter>>;
  #channel: ClientChannel | null = null;
  #started = false;
  #over = false;
  #exit: (() => void) | null = null;
  #openOutputs = 2;
  readonly #offsets = { stdout: 0, stderr: 0 };

  constructor(
    request: ChannelRequest,
    connection: Connection,
    host: DriverHost,
    onEnd: (channel: CommandChannel) => void,
  ) {
    this.command = request.command;
    this.connection = connection;
    this.#host = host;
    this.#request = request;
    this.#onEnd = onEnd;
    const { nonce, spec } = request;
    this.#filters = { stdout: new MarkerFilter(nonce, 'stdout'), stderr: new MarkerFilter(nonce, 'stderr') };
    // A terminal has only one output.
    if (spec.pty !== undefined) this.#filters.stderr.giveUp();
  }

  open(): void {
    const { spec, nonce } = this.#request;
    try {
      const direct = this.connection.shell !== null && isPosixShell(this.connection.shell);
      const { line, script } = launchLine(spec, nonce, direct, {
        shortPackets: this.connection.endpoint.server === 'stand-in',
      });
      const { pty } = spec;
      const options = pty ? { pty: { cols: pty.columns, rows: pty.rows, width: 0, height: 0, term: pty.term } } : {};
      this.connection.sessions.exec(line, options, (error, channel) => {
        if (error) this.#refused(error);
        else this.#opened(channel, script);
      });
    } catch (error) {
      this.#refuse(false, error instanceof BadSpecError ? error.message : String(error));
    }
  }

  /** Gives the channel up, in whatever state it is. */
  close(): void {
    this.#channel?.close();
    this.#end(() => this.#emit('command.closed', {}));
  }

  /** Its connection is gone. */
  lose(how: Loss, message: string): void {
    this.#end(() => this.#emit('command.lost', { how, message }));
  }

  resize(size: { columns: number; rows: number }): void {
    if (this.#channel !== null) resizeChannel(this.#channel, size);
  }

  /** Asks the server itself to signal the command (RFC 4254, section 6.9): the way where the pid is not known. */
  signal(name: string): boolean {
    if (this.#channel === null || this.#over) return false;
    signalChannel(this.#channel, name);
    return true;
  }

  #refused(error: Error & { reason?: unknown }): void {
    if (this.connection.ready) this.#refuse(isNoRoom(error), error.message);
    // Else the connection's end tells more, and is on its way.
  }

  #refuse(limit: boolean, message: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd(this);
    this.#emit('channel.refused', { connection: this.connection.id, limit, message });
  }

  #opened(channel: ClientChannel, script: Buffer | null): void {
    if (this.#over) return void channel.close();
    this.#channel = channel;
    this.#emit('channel.opened', { connection: this.connection.id });
    const { streams } = this.#request;
    channel.on('exit', (status: number | null, signal?: string, dumped?: boolean | string) => {
      this.#exit = () =>
        status === null || status === undefined
          ? this.#emit('command.signalled', {
              signal: (signal ?? 'UNKNOWN').replace(/^SIG/, ''),
              coreDumped: dumped === true || dumped === 'core',
            })
          : this.#emit('command.exited', { status });
      if (this.#started) this.#tellExit();
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      const from = stream === 'stdout' ? channel : channel.stderr;
      from.on('data', (chunk: Buffer) => this.#received(stream, chunk, from));
      from.once('end', () => {
        this.#giveUpMarker(stream, from);
        this.#outputEnded(streams[stream]);
      });
    }
    channel.on('error', (error: Error) =>
      this.#host.log('channel error', { command: this.command, message: error.message }),
    );
    channel.once('close', () => this.#closed());
    if (script !== null) channel.write(script);
    this.#feed(channel);
  }

  #received(stream: OutputStream, chunk: Buffer, from: NodeJS.ReadableStream): void {
    const filter = this.#filters[stream];
    if (!filter.waiting) return this.#deliver(stream, chunk, from);
    const { marker, rest } = filter.write(chunk);
    if (marker !== null) {
      const { pid, jobs, shell, noise } = marker;
      this.group = { pid, jobs, shell: this.#request.spec.shell === true };
      this.connection.shell ??= shell;
      if (noise !== '')
        this.#host.log('the login shell printed before the command', { command: this.command, stream, noise });
    }
    // Whichever marker comes first: each tells the same.
    if (!filter.waiting) this.#start();
    if (rest.length > 0) this.#deliver(stream, rest, from);
  }

  /** No marker has come, and none will: what was held back is the command's own after all. */
  #giveUpMarker(stream: OutputStream, from: NodeJS.ReadableStream): void {
    if (!this.#filters[stream].waiting) return;
    const held = this.#filters[stream].giveUp();
    this.#start();
    if (held.length > 0) this.#deliver(stream, held, from);
  }

  #start(): void {
    if (this.#started || this.#over) return;
    this.#started = true;
    this.#emit('command.started', { pid: this.group?.pid ?? null });
    this.#tellExit();
  }

  #tellExit(): void {
    if (this.#exit === null) return;
    this.exited = true;
    this.#exit();
    this.#exit = null;
  }

  #deliver(stream: OutputStream, chunk: Buffer, from: NodeJS.ReadableStream): void {
    if (this.#over) return;
    this.#emit('command.output', { stream, offset: this.#offsets[stream], bytes: chunk.length });
    this.#offsets[stream] += chunk.length;
    const sink = this.#request.streams[stream];
    if (sink.destroyed || sink.write(chunk)) return;
    from.pause();
    const goOn = () => {
      sink.off('drain', goOn).off('close', goOn);
      from.resume();
    };
    // A reader that goes away instead of reading on must not keep the command from its end.
    sink.on('drain', goOn).on('close', goOn);
  }

  #outputEnded(sink: Writable): void {
    this.#openOutputs -= 1;
    if (!sink.writableEnded) sink.end();
  }

  #feed(channel: ClientChannel): void {
    const { stdin } = this.#request.streams;
    if (stdin === undefined) return void channel.end();
    // Its owner cancels the command then: an end that the command could see would be taken for the end of the data.
    stdin.on('error', (error) =>
      this.#host.log('reading stdin failed', { command: this.command, message: error.message }),
    );
    stdin.pipe(channel);
    // A command need not read all of its stdin: what is left has nowhere to go.
    channel.once('close', () => {
      stdin.unpipe(channel);
      // A breath between two pieces: a source that always has more would let nothing else happen.
      stdin.pipe(new Writable({ write: (_chunk, _encoding, done) => void setImmediate(done) }));
    });
  }

  #closed(): void {
    if (this.#over) return;
    if (!this.connection.ready) return;
    // The end of stderr may come after it: what a login said that never came to the command is all there is to tell why.
    if (this.#channel !== null) {
      this.#giveUpMarker('stdout', this.#channel);
      this.#giveUpMarker('stderr', this.#channel.stderr);
    }
    if (!this.#started) this.#start();
    this.#end(() => this.#emit('command.closed', {}));
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd(this);
    const { stdout, stderr } = this.#request.streams;
    for (const sink of [stdout, stderr]) if (!sink.writableEnded) sink.end();
    tell();
  }

  #emit<T extends EventType>(type: T, data: Omit<EventData<T>, 'command'>): void {
    const { testbed } = this.#host;
    this.#host.emit({ type, testbed, from: 'driver', command: this.command, ...data } as unknown as EventDraft);
  }
}
