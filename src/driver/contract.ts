import type { Readable, Writable } from 'node:stream';
import type { Clock, Emit, ReachableEndpoint } from '../events/index.ts';

/** What to run. Exactly one of `argv`, `line` and `shell`. */
export interface ExecSpec {
  /** Program and arguments; they reach the program byte for byte, whatever characters they hold. */
  argv?: readonly string[];
  /** A line for the login user's /bin/sh. */
  line?: string;
  /** The login user's own shell, as a login shell. */
  shell?: boolean;
  /** Variables added to the session's environment. */
  env?: Readonly<Record<string, string>>;
  /** Working directory; the login directory if absent. */
  cwd?: string;
  /** A terminal of this size; stderr then arrives on stdout. */
  pty?: { columns: number; rows: number; term: string };
}

/** Where a command's bytes come from and go to. The driver respects back-pressure on all three. */
export interface ExecStreams {
  /** Absent: the command's stdin is at its end from the start. */
  stdin?: Readable;
  stdout: Writable;
  stderr: Writable;
}

/**
 * Runs a short script where a command ran, as somebody who may signal what that left behind, and takes no session for
 * it. Gives what the script printed; null where it could not.
 */
export type Messenger = (script: string) => Promise<string | null>;

/** What the driver needs from whoever runs it. */
export interface DriverHost {
  readonly testbed: string;
  readonly clock: Clock;
  emit: Emit;
  log(message: string, fields?: Record<string, unknown>): void;
}

/** How often the driver asks a silent peer whether it lives. Detection takes interval x (limit + 1). */
export interface Keepalive {
  /** Milliseconds between two questions. */
  interval: number;
  /** Unanswered questions after which the connection counts as lost. */
  limit: number;
}

/** The one SSH driver: carries out the connection and command machines' commands, tells all it sees as events. */
export interface Driver {
  /** Loads what a dial needs, which takes a while: for whoever has nothing else to do before it. Not needed. */
  prepare(): void;
  /**
   * `dial`. Events: dial.started, socket.connected, banner.received | banner.rejected, hostkey.seen,
   * hostkey.verified | hostkey.mismatched, handshake.completed, auth.accepted | auth.refused; and exactly one
   * end: auth.accepted, or dial.failed / banner.rejected / hostkey.mismatched / auth.refused. After auth.accepted:
   * keepalive.missed, and exactly one of connection.lost, connection.closed (only after hangUp).
   */
  dial(request: { connection: string; attempt: number; login: string; endpoint: ReachableEndpoint }): void;
  /**
   * Dials before that is commanded, and tells nothing of it. The first dial that is commanded for the same login at the
   * same endpoint goes on from there, and tells at once what has been seen by then; any other begins anew.
   */
  anticipate(request: { login: string; endpoint: ReachableEndpoint }): void;
  /** `hang-up`: ends the connection in whatever stage it is; always answered by connection.closed. */
  hangUp(connection: string): void;
  /**
   * `open-channel`. Events: channel.opened, command.started, command.output*, command.exited |
   * command.signalled, command.closed; or channel.refused; or, at any point where the connection goes away
   * (hang-up included), command.lost as the last one.
   */
  openChannel(request: { command: string; connection: string; spec: ExecSpec; streams: ExecStreams }): void;
  /**
   * `signal`: to the whole remote process group, over another channel; to what a command left that has ended, by `by` where
   * that can. Events: signal.delivered | signal.failed.
   */
  signal(request: { command: string; connection: string; signal: 'TERM' | 'KILL'; by?: Messenger | undefined }): void;
  /** `close-channel`: gives the channel up; command.closed follows if neither it nor command.lost came before. */
  closeChannel(command: string): void;
  /** Tells a pty its new size; nothing happens for commands without one. */
  resize(command: string, size: { columns: number; rows: number }): void;
  /** `identify-boot`. Events: boot.identified | boot.unidentified. */
  identifyBoot(connection: string): void;
  /** `ask-reboot`; `line` in place of a reboot command. Event: reboot.asked. */
  askReboot(connection: string, line?: string): void;
  /** Opens a forward on a ready connection. Events: forward.opened | forward.failed; forward.closed. */
  forward(request: ForwardRequest): Promise<Forward>;
  /** Ends everything at once, in whatever state, and forgets it. For the end of the process. */
  abandon(): void;
}

/** `local`: a listener on the host leads into the testbed; `remote`: the other way. Addresses are host:port. */
export interface ForwardRequest {
  forward: string;
  connection: string;
  direction: 'local' | 'remote';
  listen: { host: string; port: number };
  connect: { host: string; port: number };
}

/** An open forward. */
export interface Forward {
  /** Where the listener really is: port 0 asks for any. */
  readonly listening: { host: string; port: number };
  close(): Promise<void>;
}
