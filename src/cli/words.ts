import { UsageError } from './UsageError.ts';

/** A command line in its two halves: what to do, and the backend to do it on. */
export interface Halves {
  readonly what: readonly string[];
  /** Null where there is no `--`. */
  readonly where: readonly string[] | null;
}

/** Parts a command line at its first `--`, or at its last where what comes before may hold others. Pure. */
export function halves(words: readonly string[], at: 'first' | 'last' = 'first'): Halves {
  const index = at === 'first' ? words.indexOf('--') : words.lastIndexOf('--');
  return index === -1 ? { what: words, where: null } : { what: words.slice(0, index), where: words.slice(index + 1) };
}

/**
 * The command line of `run`, also in two spellings of autopkgtest's that many a script has: `---` where there is no `--`,
 * and a server by the name of its program, `autopkgtest-virt-podman` for `podman`. Pure.
 */
export function halvesAsAutopkgtest(words: readonly string[]): Halves {
  const dashes = words.includes('--') ? -1 : words.indexOf('---');
  const { what, where } = halves(dashes === -1 ? words : words.with(dashes, '--'));
  const [server, ...options] = where ?? [];
  if (server === undefined) return { what, where };
  return { what, where: [server.replace(/^(?:\/usr\/bin\/)?autopkgtest-virt-(?=.)/, ''), ...options] };
}

/** Whether the words after `--` ask for the backend's help: `-- BACKEND --help`. Pure. */
export function asksForBackendHelp(where: readonly string[] | null): where is readonly [string, ...string[]] {
  return where !== null && where.length === 2 && (where[1] === '--help' || where[1] === '-h');
}

/**
 * Explains the `--` where there is none, unless help is asked for.
 * @throws UsageError
 */
export function teachSeparator(verb: string, { what, where }: Halves, example: string): void {
  if (where !== null || what.includes('--help') || what.includes('-h')) return;
  throw new UsageError(
    'the command line has no `--`. What comes before it says what to do, what comes after it says on which testbed.',
    separatorHint(verb, what, example),
  );
}

/**
 * The backend's words.
 * @throws UsageError where what follows the `--` cannot be a backend
 */
export function backendWords(verb: string, { what, where }: Halves, example: string): readonly [string, ...string[]] {
  const [name, ...options] = where ?? [];
  if (where === null || name === undefined || name === '') {
    throw new UsageError(
      'no backend is named after `--`. `trundle backends` lists those there are.',
      `as in: trundle ${verb} ${example}`,
    );
  }
  if (name.startsWith('-')) {
    throw new UsageError(
      `the first word after \`--\` is the name of a backend, not an option (${name}). \`trundle backends\` lists those there are.`,
      `as in: trundle ${verb} ${what.length === 0 ? example : `${shellWords(what)} -- BACKEND ${shellWords(where)}`}`,
    );
  }
  return [name, ...options];
}

/** With two operands or more the second is likely the backend: show the line with the `--` where it belongs. */
function separatorHint(verb: string, what: readonly string[], example: string): string {
  const last = what.at(-1);
  if (verb === 'run' && what.length >= 2 && last !== undefined && /^[a-z][\w-]*$/.test(last)) {
    return `perhaps you mean: trundle ${verb} ${shellWords(what.slice(0, -1))} -- ${last}`;
  }
  return `as in: trundle ${verb} ${example}`;
}

/** Words as one would type them at a shell. Pure. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** `NAME=VALUE` in its two parts. Pure. */
export function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
