import type { Io } from './Io.ts';

/** A verb of the command line. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** What it takes, in short. */
  readonly usage: string;
  /** Loads the verb, and nothing of any other. */
  load(): Promise<(words: readonly string[], io: Io) => Promise<number>>;
}

/** All verbs, in the order in which help tells them. */
export const VERBS: readonly Verb[] = [
  {
    name: 'run',
    usage: 'SOURCE -- BACKEND',
    summary: 'test a Debian package',
    load: async () => (await import('./verbs/run.ts')).run,
  },
  {
    name: 'exec',
    usage: 'COMMAND -- BACKEND',
    summary: 'run one command',
    load: async () => (await import('./verbs/exec.ts')).exec,
  },
  {
    name: 'shell',
    usage: '-- BACKEND',
    summary: 'open an interactive shell',
    load: async () => (await import('./verbs/shell.ts')).shell,
  },
  {
    name: 'explain',
    usage: 'TRACE',
    summary: 'tell how a run ended, and what proves it',
    load: async () => (await import('./verbs/explain.ts')).explain,
  },
  {
    name: 'replay',
    usage: 'TRACE',
    summary: "prove that today's machines decide the same",
    load: async () => (await import('./verbs/replay.ts')).replay,
  },
  {
    name: 'inspect',
    usage: 'TRACE [TRACE]',
    summary: 'look at a run in the browser, live or afterwards',
    load: async () => (await import('./verbs/inspect.ts')).inspect,
  },
  {
    name: 'compare',
    usage: 'GOOD BAD',
    summary: 'tell where two runs parted, and what else differs',
    load: async () => (await import('./verbs/compare.ts')).compare,
  },
  {
    name: 'reap',
    usage: '[RUN...]',
    summary: 'remove what killed runs left behind',
    load: async () => (await import('./verbs/reap.ts')).reap,
  },
  {
    name: 'backends',
    usage: '[NAME]',
    summary: 'list the kinds of testbed, and what they lack here',
    load: async () => (await import('./verbs/backends.ts')).backends,
  },
];

/** `trundle --help`. Pure. */
export function helpText(): string {
  const row = ({ name, usage, summary }: Verb) => `  ${`${name} ${usage}`.padEnd(24)} ${summary}`;
  const [opening, looking] = [VERBS.slice(0, 3), VERBS.slice(3)];
  return `Trundle rolls out a testbed, runs tests in it over SSH, and rolls it away.
Each kind of testbed is a backend; whichever it is, one SSH driver does the
talking. Everything that happens goes into a trace, from which a run can be
explained, replayed, and finished where it was killed.

Usage: trundle VERB [options] WHAT -- BACKEND [backend options]

In a new testbed, which is removed afterwards:
${opening.map(row).join('\n')}

Afterwards, and around:
${looking.map(row).join('\n')}

Options:
  -h, --help               show this help; trundle VERB --help tells of a verb
  -V, --version            print the version

Examples:
  trundle run examples/hello -- null             test a package, on this machine
  trundle exec 'uname -a' -- ssh -H example.org  run a command, on another one
`;
}
