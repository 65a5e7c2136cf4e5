import type { ExecSpec } from './contract.ts';

/** Shells that take our launch line as it is; others, whose quotes mean other things, get it through /bin/sh. */
const POSIX_SHELLS: ReadonlySet<string> = new Set(['sh', 'dash', 'bash', 'ash', 'busybox']);

/** Bytes that Linux takes as one argument of a program, its end included (MAX_ARG_STRLEN, execve(2)). */
const LONGEST = 128 * 1024;

/** Bytes of a line that every SSH server takes: some take no packets beyond the 35000 bytes of RFC 4253, section 6.1. */
const SHORT = 30_000;

/** What to ask of the server. */
export interface Launch {
  readonly line: string;
  /** What the line reads from its stdin before anything else: a script too long for many servers. */
  readonly script: Buffer | null;
}

/** What a command prints on. */
export type OutputStream = 'stdout' | 'stderr';

/** A spec that no command line can carry. */
export class BadSpecError extends Error {
  override readonly name = 'BadSpecError';
}

/** Quotes a word for a POSIX shell. Pure. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Whether a login shell, by its path, is known to understand POSIX sh. Pure. */
export function isPosixShell(path: string): boolean {
  return POSIX_SHELLS.has(path.slice(path.lastIndexOf('/') + 1));
}

/**
 * Prints the marker, on each stream that is read: before it comes what start-up files of the login shell had to say.
 * It names the children that these left running: they are no affair of the command. `set +x` keeps a start-up file
 * from having the rest of the line printed.
 */
function announce(nonce: string, streams: readonly OutputStream[]): string[] {
  const marks = streams.map((stream) => {
    const mark = `echo ${markerOf(nonce, stream)}"$$:$trundle_jobs:$SHELL"`;
    return stream === 'stderr' ? `${mark} >&2` : mark;
  });
  return ['set +x', 'trundle_jobs=', 'read -r trundle_jobs 2>/dev/null </proc/$$/task/$$/children || :', ...marks];
}

/**
 * The line that sshd hands to the login shell. It first prints a marker with the pid of what will be the program:
 * sshd made that process the leader of its own group, so the whole command can be ended by it later.
 * @param nonce makes the marker unmistakable in the output
 * @param direct whether the login shell is known to understand POSIX sh
 * @param server whether it ends connections at packets beyond those that every server must take
 * @throws BadSpecError for what cannot be said on a command line
 */
export function launchLine(
  spec: ExecSpec,
  nonce: string,
  direct: boolean,
  server: { shortPackets: boolean } = { shortPackets: false },
): Launch {
  const steps = announce(nonce, spec.pty === undefined ? ['stdout', 'stderr'] : ['stdout']);
  if (spec.cwd !== undefined) steps.push(`cd ${quote(directoryOf(spec.cwd))} || exit 127`);
  steps.push(`exec ${programOf(spec)}`);
  const script = steps.join('; ');
  if (script.includes('\0')) throw new BadSpecError('a command cannot hold a NUL character');
  if (/\p{Surrogate}/u.test(script))
    throw new BadSpecError('a command cannot hold half of a character (a lone surrogate)');
  const line = direct ? script : throughSh(script);
  const bytes = Buffer.byteLength(line);
  // A terminal's input is no place for a script: it goes by lines of 4096 bytes, and is echoed.
  const longest = spec.pty === undefined || !server.shortPackets ? LONGEST : SHORT + 1;
  if (bytes <= SHORT || (bytes < longest && spec.pty !== undefined)) return { line, script: null };
  const whole = Buffer.from(script);
  if (bytes < longest) return { line: `exec /bin/sh -c 'eval "$(head -c ${whole.length})"'`, script: whole };
  const remedy = 'hand the data over on stdin, or copy it as a file';
  throw new BadSpecError(`the command is too long: quoted, it takes ${bytes} of ${longest - 1} bytes; ${remedy}`);
}

/** How a marker starts; the pid, its children, the login shell and a line end follow, parted by colons. Pure. */
export function markerOf(nonce: string, stream: OutputStream): string {
  return `trundle:${nonce}:${stream}:`;
}

/** A script for /bin/sh as a line that sh, csh and fish read alike. Pure. */
function throughSh(script: string): string {
  if (!/[\\!\n]/.test(script)) return `exec /bin/sh -c ${quote(script)}`;
  // Even within quotes, csh looks for ! and line ends, and fish for backslashes: printf makes them on the other side.
  const escaped = script.replaceAll(/[\\!\n']/g, (char) => `\\0${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `exec /bin/sh -c 'eval "$(printf %b "$1")"' sh '${escaped}'`;
}

/** A directory as cd takes it for one, whatever it is called: no option, no shorthand, not looked for in CDPATH. */
function directoryOf(cwd: string): string {
  if (cwd === '') throw new BadSpecError('the working directory has no name');
  return cwd.startsWith('/') ? cwd : `./${cwd}`;
}

function programOf(spec: ExecSpec): string {
  if (spec.shell === true) return withVariables(spec.env, `"\${SHELL:-/bin/sh}" -l`, false);
  if (spec.line !== undefined) return withVariables(spec.env, `/bin/sh -c ${quote(spec.line)}`, false);
  const [program, ...args] = spec.argv ?? [];
  if (program === undefined || program === '') throw new BadSpecError('there is no program to run');
  return withVariables(spec.env, [program, ...args].map(quote).join(' '), /^-|=/.test(program));
}

/**
 * Variables are set by env(1): to a shell, some names mean more than that (UID, PWD, SHLVL, IFS).
 * @param odd whether exec or env would take the program's name for something else
 */
function withVariables(env: ExecSpec['env'], words: string, odd: boolean): string {
  const variables = Object.entries(env ?? {}).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new BadSpecError(`${JSON.stringify(name)} is not a name for a variable`);
    return `${name}=${quote(value)}`;
  });
  const program = odd ? `/bin/sh -c '"$@"' sh ${words}` : words;
  return variables.length === 0 ? program : ['/usr/bin/env --', ...variables, program].join(' ');
}
