/**
 * What machines tell the edges to do. Imperative, carried out by whoever runs the machines; a replay only
 * compares them. Every command names its subject, so that it can stand in a trace by itself.
 */
export type Command =
  /** Call a verb of the backend; its end comes back as `*.completed` or `*.failed`. */
  | { type: 'create' | 'start' | 'locate' | 'reset' | 'stop' | 'destroy' | 'keep'; testbed: string }
  /** The same for the verb restart; with `line`, that is what has the guest reboot. */
  | { type: 'restart'; testbed: string; line?: string }
  /** Abort the verb in flight; it still ends with an event of its own. */
  | { type: 'cancel'; testbed: string }
  | { type: 'dial'; testbed: string; connection: string; login: string; attempt: number }
  | { type: 'hang-up'; testbed: string; connection: string }
  /** Ask for the identity of the running boot: `boot.identified` or `boot.unidentified`. */
  | { type: 'identify-boot'; testbed: string; connection: string }
  /** Tell the guest to reboot itself, by `line` if there is one: `reboot.asked`, then the connection is lost. */
  | { type: 'ask-reboot'; testbed: string; connection: string; line?: string }
  | { type: 'open-channel'; testbed: string; command: string; connection: string }
  | { type: 'signal'; testbed: string; command: string; connection: string; signal: 'TERM' | 'KILL' }
  | { type: 'close-channel'; testbed: string; command: string }
  /** After `ms`, unless disarmed, `deadline.expired` with this name and subject. Arming again starts anew. */
  | { type: 'arm'; testbed: string | null; deadline: Deadline; subject: string; ms: number }
  | { type: 'disarm'; testbed: string | null; deadline: Deadline; subject: string }
  /** Stop what the runner is doing and tear down in order, or at once. */
  | { type: 'abort'; reason: string; force: boolean };

/** The name of a command. */
export type CommandType = Command['type'];

/** Every deadline there is, with its default in milliseconds. docs/deadlines.md tells what each bounds. */
export const DEADLINES = {
  provision: 600_000,
  boot: 120_000,
  endpoint: 30_000,
  restart: 300_000,
  reset: 300_000,
  cancel: 10_000,
  shutdown: 60_000,
  destroy: 60_000,
  keep: 30_000,
  'ssh-ready': 60_000,
  redial: 250,
  connect: 10_000,
  banner: 5_000,
  exchange: 10_000,
  auth: 20_000,
  'hang-up': 5_000,
  channel: 60_000,
  command: 0,
  terminate: 10_000,
  kill: 5_000,
  drain: 2_000,
  close: 5_000,
  settle: 20_000,
  teardown: 180_000,
  'reboot-identify': 10_000,
  'reboot-down': 60_000,
  'reboot-up': 300_000,
} as const;

/** The name of a deadline. */
export type Deadline = keyof typeof DEADLINES;

/** Milliseconds by deadline name; names that are not given keep their default. */
export type DeadlineTable = Readonly<Partial<Record<Deadline, number>>>;
