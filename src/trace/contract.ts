import type { Decision, TrundleEvent } from '../events/index.ts';

/** The version of the trace format that this code writes; docs/trace-format.md describes it. */
export const TRACE_VERSION = 2;

/** First line of `events.jsonl`. */
export interface TraceHeader {
  trundle: string;
  format: typeof TRACE_VERSION;
  run: string;
  /** Wall-clock time at which `at` is 0, ISO 8601. */
  started: string;
  owner: Owner;
  /** What the run had under it; null where nobody wrote that down (formats before 2). */
  system: HostSystem | null;
}

/** The host on which a run happens. */
export interface HostSystem {
  /** Kernel and machine, as in `Linux 6.12.5 x64`. */
  kernel: string;
  /** Version of Node. */
  node: string;
  /** IANA name of the time zone, as in `Europe/Berlin`. */
  zone: string;
}

/** The process that writes a trace: enough to tell whether it still lives. */
export interface Owner {
  pid: number;
  /** In clock ticks since boot (proc(5), /proc/PID/stat field 22), so that a reused pid is not mistaken. */
  startTime: number;
  /** Host name. */
  host: string;
  /** The kernel's boot id: after a reboot every process of before is gone. Absent where there is none. */
  boot?: string;
  /** The pid namespace in which `pid` is meant (`pid:[4026531836]`). Absent where there is none. */
  pidNamespace?: string;
}

/** A line of `events.jsonl` after the header: an event, or what a machine made of the event with that seq. */
export type TraceLine = TrundleEvent | DecisionLine;

/** A decision in its short form on disk: d = seq, m = machine, s = state, c = commands (absent if none). */
export interface DecisionLine {
  d: number;
  m: string;
  s: string;
  c?: Decision['commands'];
}

/** Takes a run's events and bytes to disk. */
export interface Recorder {
  /** The trace's directory. */
  readonly directory: string;
  /** Buffers the event; on disk within 5 ms, or at once with {@link flush}. */
  event(event: TrundleEvent): void;
  decision(decision: Decision): void;
  /** Appends bytes to a stream (`console`, `tb1.x3.stdout`), up to the stream limit; returns false once past it. */
  bytes(stream: string, chunk: Uint8Array): boolean;
  /** From now on these strings are written as `[redacted]`, in events and streams. */
  redact(secrets: readonly string[]): void;
  /** Writes all that is buffered, synchronously: for resources and for the end. */
  flush(): void;
  close(): void;
}
