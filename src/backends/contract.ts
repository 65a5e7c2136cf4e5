import type { Observable } from 'rxjs';
import type * as z from 'zod';
import type { Capability, Clock, DeadlineTable, EventData, ReachableEndpoint } from '../events/index.ts';

/** Event types that a backend may put into its stream of observations. */
export type ObservationType =
  | 'console.printed'
  | 'process.spawned'
  | 'process.exited'
  | 'guest.panicked'
  | 'guest.stopped'
  | 'recording.left'
  | 'progress.reported'
  | 'endpoint.withdrawn'
  | 'resource.acquired'
  | 'resource.released';

/** One thing a backend saw: an event draft without `testbed` and `from`, which the host adds. */
export type Observation<T extends ObservationType = ObservationType> = {
  [K in T]: { type: K } & EventData<K>;
}[T];

/** What Trundle lends to a backend for one testbed. */
export interface BackendHost {
  /** The testbed's id, unique within the run. */
  readonly testbed: string;
  /** The run's id, unique on this machine: good for names of containers, directories, sessions. */
  readonly run: string;
  readonly clock: Clock;
  /** A private directory (mode 0700) for this testbed's files; removed after destroy. */
  readonly workDirectory: string;
  /** Random bytes, injected so that tests can repeat them. */
  randomBytes(size: number): Uint8Array;
  /** Keeps raw console bytes in the trace; whole lines also become `console.printed` events by themselves. */
  console(chunk: Uint8Array): void;
  /**
   * Writes a resource to the trace *before* it is made, durably; call the returned function once it is gone.
   * The command in `release`, run by `trundle reap`, must remove it without this process. A name that is not made from
   * the run may be somebody else's by then: the command in `check` tells.
   */
  acquire(resource: Omit<EventData<'resource.acquired'>, 'resource'>): () => void;
  /**
   * Tells that an SSH server answers already where `endpoint()` is going to tell, while a verb before that has still
   * something to do: the driver logs in meanwhile. Nothing is told of it, and no command runs, before its turn; it must
   * then be the same object. Not needed.
   */
  anticipate(endpoint: ReachableEndpoint): void;
  /** Debug log; never for secrets. */
  log(message: string, fields?: Record<string, unknown>): void;
}

/** Where the SSH server is, how to log in, and what the testbed can do. */
export interface Location {
  endpoint: ReachableEndpoint;
  capabilities: readonly Capability[];
}

/** A testbed that stays. */
export interface KeptPlace {
  /** The command by which a person gets in: an interactive shell, with whatever the testbed needs for it started anew. */
  enter: readonly string[];
}

/**
 * One testbed in a backend's hands. The backend machine calls the verbs in order, one at a time, each with a
 * deadline; when `signal` aborts, a verb stops soon and rejects. A rejection is recorded with its `code` and
 * `message` (see {@link BackendError}); what was made so far is removed by `destroy`, which is always called.
 */
export interface BackendVerbs {
  /** What the backend sees of its testbed, from the first verb to the end of destroy. Hot; must not error. */
  readonly observations$: Observable<Observation>;
  /** Makes the testbed: unpacks, clones, defines. Nothing runs yet. */
  create(signal: AbortSignal): Promise<void>;
  /** Starts it. An SSH server need not answer yet. */
  start(signal: AbortSignal): Promise<void>;
  /** Tells where it can be reached. Called after start, restart and reset. */
  endpoint(signal: AbortSignal): Promise<Location>;
  /**
   * Starts the testbed anew from outside, its files kept. Absent: only the guest itself can reboot.
   * @param line for sh in the guest, as root: something in it reboots it thereupon, which is waited for; where it is not
   *   given, the backend has it reboot in its own way
   */
  restart?(signal: AbortSignal, line?: string): Promise<void>;
  /** Puts the testbed back to where it was after start. Required for capability `revert`. */
  reset?(signal: AbortSignal): Promise<void>;
  /** Stops what start started. */
  stop(signal: AbortSignal): Promise<void>;
  /** Removes all that is left, whatever state it is in. Must be safe to call after any failure. */
  destroy(signal: AbortSignal): Promise<void>;
  /**
   * Lets go of a testbed that is up, so that it stays when this process ends: what our own process does for it ends
   * here, and the resources that stay are not struck out. Called in place of stop and destroy, when all connections are
   * hung up; both follow where it rejects, or where somebody insists meanwhile. Absent: it cannot stay.
   */
  keep?(signal: AbortSignal): Promise<KeptPlace>;
}

/** Whether this machine can run a backend, and if not, what is missing and what would mend it. */
export type Availability =
  | { available: true; detail?: string }
  | { available: false; missing: string; remedy?: string };

/** How options look on the command line. */
export interface OptionsHelp {
  /** One-letter forms by option name, as in `{ port: 'p' }`. */
  short?: Readonly<Record<string, string>>;
  /** The option that positional arguments fill, in order; the last one may be an array and takes the rest. */
  positional?: readonly string[];
  /** Whether all words after the first positional argument are positional too, options included. */
  passThrough?: boolean;
  /**
   * Options of texts whose value may also come in two words, which are joined by a colon: as autopkgtest takes
   * `--bind OUTSIDE INSIDE`.
   */
  pairs?: readonly string[];
  /** Options whose values must not be written anywhere. */
  secret?: readonly string[];
  /**
   * Options that are known from autopkgtest's servers and that the backend cannot have, by their forms, with what does
   * the same: `{ '-u, --unpack-dir': 'layers are in $TMPDIR' }`. Nearer to the truth than that they are unknown.
   */
  refused?: Readonly<Record<string, string>>;
}

/**
 * A backend: a kind of testbed. Make one with {@link defineBackend} and export it as `default` from a package
 * named `trundle-backend-NAME`, or from a file given by path.
 */
export interface Backend<S extends z.ZodObject = z.ZodObject> {
  /** The contract's version; this one is 1. */
  readonly contract: 1;
  readonly name: string;
  /** One line for `trundle backends`. */
  readonly summary: string;
  /** A zod object: camelCase keys become `--kebab-case` options, `.describe()` texts their help. */
  readonly options: S;
  readonly help?: OptionsHelp;
  /** Can this machine run it? Must not change anything, and must answer within seconds. */
  probe(): Promise<Availability>;
  /** Capabilities known before the testbed is up. */
  capabilities(options: z.output<S>): readonly Capability[];
  /** Deadlines that the options set; those that the run sets stand above them. */
  deadlines?(options: z.output<S>): DeadlineTable;
  /** Why a testbed cannot stay after the run (--keep); null where it has the verb keep. Absent: none of this kind can. */
  whyNotKept?(options: z.output<S>): string | null;
  /**
   * Whether nothing is made and nothing is removed, and one that is opened anew is no fresher than one that is open (default
   * false). Then packages have the same testbed one after another, though it has no revert.
   */
  readonly lasting?: boolean;
  /** Makes the object that holds one testbed; must not do anything outside memory yet. */
  open(options: z.output<S>, host: BackendHost): BackendVerbs;
}

/** Says that an object is a backend, and infers its options' types. Returns it unchanged. */
export function defineBackend<S extends z.ZodObject>(backend: Omit<Backend<S>, 'contract'>): Backend<S> {
  return { contract: 1, ...backend };
}

/** A backend with its options, ready to be opened. */
export interface ConfiguredBackend {
  readonly name: string;
  /** For the trace: backend name and arguments as typed, secrets taken out. */
  readonly words: readonly string[];
  capabilities(): readonly Capability[];
  /** Deadlines that its options set; those that the run sets stand above them. */
  deadlines?(): DeadlineTable;
  /** Why its testbeds cannot stay after the run; null where they can. Absent: nobody can say, so they cannot. */
  whyNotKept?(): string | null;
  /** Whether one testbed is as good as another: see {@link Backend}. Absent: no. */
  readonly lasting?: boolean;
  open(host: BackendHost): BackendVerbs;
}

/** A verb failed, and the backend knows what it was. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  /** An errno name or a word of the backend's own, as in `image-missing`. */
  readonly code: string;
  /** The command or step that would mend it. */
  readonly remedy: string | undefined;
  constructor(code: string, message: string, options?: { cause?: unknown; remedy?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options?.remedy;
  }
}
