import type { Capability, Endpoint, Failure, Loss } from '../../events/index.ts';

/** One testbed of a trace, as the things it did and was asked to do, in order. */
export interface RecordedTestbed {
  testbed: string;
  /** Null where it never told where it can be reached. */
  endpoint: Endpoint | null;
  capabilities: readonly Capability[];
  cues: readonly Cue[];
  /** Logins of its connections. */
  logins: readonly string[];
  /** How often each connection was dialled. */
  dials: ReadonlyMap<string, number>;
  /** The trace holds the end of the run; else what was asked later nobody knows. */
  complete: boolean;
  /** Seq of the last event that could be read. */
  lastSeq: number;
}

/** Verbs of a backend whose end is recorded. */
export type RecordedVerb = 'create' | 'start' | 'locate' | 'restart' | 'reset' | 'stop' | 'destroy';

/** How far a dial came, and what ended it. */
export type DialPlan =
  | { kind: 'accepted' }
  | { kind: 'failed'; how: Loss; stage: 'connect' | 'banner' | 'exchange' | 'auth'; failure: Failure }
  | { kind: 'not-ssh'; sample: string }
  | { kind: 'other-key' }
  | { kind: 'refused' }
  /** Nothing more came, until a deadline passed or we hung up. */
  | { kind: 'stuck'; stage: 'connect' | 'banner' | 'exchange' | 'auth' };

/** A command as it was asked for. */
export interface RecordedCommand {
  command: string;
  line: string;
  login: string;
  /** Seq of its request, and of its end (infinity where it has none). */
  requested: number;
  concluded: number;
  /** Part of a copy: what went over is not in the trace. */
  copy: RecordedCopy | null;
}

/** The copy that a command carried out. */
export interface RecordedCopy {
  copy: string;
  direction: 'down' | 'up';
  tree: boolean;
  /** What the testbed's half complained of, where the copy failed; null where it did not. */
  complaint: string | null;
  /** The archive was refused as hostile; the name of its member. */
  hostile: string | null;
}

/** What comes next: something that the program asks, or something that the testbed does by itself. */
export type Cue = { seq: number; at: number; text: string } & (Asked | Said);

/** What has to be asked before the testbed goes on. */
export type Asked =
  | { kind: 'verb'; verb: RecordedVerb }
  | { kind: 'dial'; connection: string; plan: DialPlan }
  | { kind: 'exec'; connection: string; of: RecordedCommand; refused: { limit: boolean; message: string } | null }
  | { kind: 'signal'; command: string; signal: string }
  | { kind: 'identify'; connection: string }
  | { kind: 'reboot'; connection: string };

/** What the testbed does by itself. */
export type Said =
  | { kind: 'verb-ended'; verb: RecordedVerb; failure: Failure | null }
  | { kind: 'signal-told'; command: string; signal: string; survivors: number | null; failure: Failure | null }
  | { kind: 'identified'; connection: string; identity: string | null; failure: Failure | null }
  | { kind: 'reboot-told'; connection: string }
  | { kind: 'started'; command: string; pid: number | null }
  | { kind: 'output'; command: string; stream: 'stdout' | 'stderr'; offset: number; bytes: number }
  | { kind: 'exited'; command: string; status: number }
  | { kind: 'signalled'; command: string; signal: string; coreDumped: boolean }
  | { kind: 'closed'; command: string }
  | { kind: 'lost'; connection: string; how: Loss; failure: Failure }
  /** Somebody ended the run from outside: what comes after is what came of that. */
  | { kind: 'interrupted'; signal: string }
  | { kind: 'console'; line: string }
  | { kind: 'observed'; type: string; data: Readonly<Record<string, unknown>> };
