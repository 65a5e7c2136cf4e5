import type { ExecSpec } from './contract.ts';

/** Shells that take our launch line as it is; others get it through /bin/sh. */
const POSIX_SHELLS: ReadonlySet<string> = new Set(['sh', 'dash', 'bash', 'ksh', 'mksh', 'zsh', 'ash', 'busybox']);

/** A spec that no command line can carry. */
export class BadSpecError extends Error {
  override readonly name = 'BadSpecError';
}

/** Quotes a word for a POSIX shell. Pure. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Whether a login shell, by its path, is known to understand POSIX sh. Pure. */
export function isPosixShell(path: string): boolean {
  return POSIX_SHELLS.has(path.slice(path.lastIndexOf('/') + 1));
}

/**
 * The line that sshd hands to the login shell. It first prints a marker with the pid of what will be the program:
 * sshd made that process the leader of its own group, so the whole command can be ended by it later.
 * @param nonce makes the marker unmistakable in the output
 * @param direct whether the login shell is known to understand POSIX sh
 * @throws BadSpecError for what cannot be said on a command line
 */
export function launchLine(spec: ExecSpec, nonce: string, direct: boolean): string {
  const steps = [`echo ${markerOf(nonce)}"$$:$SHELL"`];
  if (spec.cwd !== undefined)
    steps.push(`cd ${quote(spec.cwd.startsWith('-') ? `./${spec.cwd}` : spec.cwd)} || exit 127`);
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new BadSpecError(`${JSON.stringify(name)} is not a name for a variable`);
    steps.push(`export ${name}=${quote(value)}`);
  }
  steps.push(`exec ${programOf(spec)}`);
  const script = steps.join('; ');
  if (script.includes('\0')) throw new BadSpecError('a command cannot hold a NUL character');
  return direct ? script : `exec /bin/sh -c ${quote(script)}`;
}

/** How a marker starts; the pid, a colon, the login shell and a line end follow. Pure. */
export function markerOf(nonce: string): string {
  return `trundle:${nonce}:`;
}

function programOf(spec: ExecSpec): string {
  if (spec.shell === true) return '"${SHELL:-/bin/sh}" -l';
  if (spec.line !== undefined) return `/bin/sh -c ${quote(spec.line)}`;
  const [program, ...args] = spec.argv ?? [];
  if (program === undefined || program === '') throw new BadSpecError('there is no program to run');
  const words = [program, ...args].map(quote).join(' ');
  // A name that starts with a dash would be taken for an option of exec, one with = for a variable by env.
  return program.startsWith('-') ? `/usr/bin/env -- ${words}` : words;
}
