import { BackendError } from '../contract.ts';
import type { Enter, UserIds } from '../shared/enter.ts';
import { namedProgram } from '../shared/programs.ts';
import type { Daemon, LxdOptions } from './options.ts';

/** The client's own name, by the daemon's. */
export const CLIENTS: Readonly<Record<Daemon, string>> = { lxd: 'lxc', incus: 'incus' };

/** A client as it is called, and whose daemon it speaks to. */
export interface Client {
  readonly daemon: Daemon;
  readonly argv: readonly string[];
  /** As it is called where no project can be named. */
  readonly plain: readonly string[];
  /** What stands before the name of an instance: another machine's, as in `build:`. */
  readonly remote: string;
}

/** Options that would take an instance out of our hands. */
const OURS = /^(--(ephemeral|empty|vm|target|help|version|sub-commands)(=|$)|-[eh])/;

/** How the client is called. */
export function clientOf(daemon: Daemon, { program, remote = '', debug, args }: LxdOptions): Client {
  const server = remote === '' || remote.endsWith(':') ? remote : `${remote}:`;
  const plain = [namedProgram(program ?? CLIENTS[daemon]), ...(debug ? ['--debug'] : [])];
  const project = projectIn(args);
  // Whatever is done to the instance is done in there, too: elsewhere nobody knows it.
  return { daemon, argv: [...plain, ...(project === null ? [] : [`--project=${project}`])], plain, remote: server };
}

/** The project that the words for `init` name; null where it is the client's own. Pure. */
function projectIn(args: readonly string[]): string | null {
  const at = args.findLastIndex((word) => /^--project(=|$)/.test(word));
  const word = args[at];
  if (word === undefined) return null;
  return word === '--project' ? (args[at + 1] ?? null) : word.slice('--project='.length);
}

/** The command that lists projects, with the one that is the client's own. Pure. */
export function projectsArgv({ argv, remote }: Client): string[] {
  return [...argv, 'project', 'list', ...(remote === '' ? [] : [remote]), '--format=csv'];
}

/** The project that is the client's own, in what {@link projectsArgv} printed; null where that tells of none. Pure. */
export function currentProject(list: string): string | null {
  return /^"?([^\s,"]+) \(current\)/m.exec(list)?.[1] ?? null;
}

/** The command that asks the daemon for what is at a path of its API: of all commands, it knows no project. Pure. */
export function queryArgv({ plain, remote }: Client, path: string, project: string | null): string[] {
  const place = project === null ? '' : `${path.includes('?') ? '&' : '?'}project=${encodeURIComponent(project)}`;
  return [...plain, 'query', `${remote}${path}${place}`];
}

/**
 * The command that makes an instance, without starting it. Pure.
 * @param mark by which it is told from others of its name
 * @throws BackendError `usage` where an argument is not for the user to give
 */
export function initArgv({ argv, remote }: Client, name: string, { image, args }: LxdOptions, mark?: string): string[] {
  const wrong = args.find((word) => OURS.test(word));
  if (wrong !== undefined)
    throw new BackendError('usage', `${wrong} is not for the testbed's user to say: it is a container that stays`, {
      remedy: 'leave it out',
    });
  const marked = mark === undefined ? [] : [`--config=${MARK}=${mark}`];
  return [...argv, 'init', ...args, ...marked, image, `${remote}${name}`];
}

/** Removes by "$@". While the daemon is at something with the instance, it refuses. */
const REMOVE = [
  'n=0; while ! out=$("$@" 2>&1); do',
  'case $out in *"ot found"*) exit 0;; *"busy running"*) ;; *) n=150;; esac;',
  '[ $n -lt 150 ] || { echo "$out" >&2; exit 1; };',
  'n=$((n + 1)); sleep 0.2; done',
].join(' ');

/** The key of an instance that tells which run made it. */
const MARK = 'user.trundle.run';

/** Tells whether the mark that "$@" asks for is the first word. */
const CHECK = [
  'mark=$1; shift',
  'if now=$("$@" 2>/dev/null); then [ "$now" != "$mark" ] || exit 0; echo "the instance of that name was not made by this run; it is left alone" >&2; exit 1; fi',
  'said=$("$@" 2>&1 >/dev/null)',
  'case $said in *"ot found"*) echo "it has been removed" >&2; exit 1;; esac',
  'echo "$said" >&2',
  'exit 2',
].join('; ');

/** The command that removes it, in whatever state it is; an instance that is not there is fine. Pure. */
export function removeArgv({ argv, remote }: Client, name: string): string[] {
  return ['sh', '-c', REMOVE, 'sh', ...argv, 'delete', '--force', `${remote}${name}`];
}

/** The command that tells whether an instance has this mark. Pure. */
export function checkArgv({ argv, remote }: Client, name: string, mark: string): string[] {
  return ['sh', '-c', CHECK, 'sh', mark, ...argv, 'config', 'get', `${remote}${name}`, MARK];
}

/** The way into an instance. Pure. */
export function enterInstance({ argv, remote }: Client, name: string): Enter {
  const exec = (...flags: string[]) => [...argv, 'exec', '--cwd=/', ...flags, `${remote}${name}`, '--'];
  const of = ({ uid, gid }: UserIds) => [`--user=${uid}`, `--group=${gid}`];
  return {
    argv: exec('-T'),
    environment: 'dropped',
    daemon: true,
    terminal: { argv: exec('-t'), as: (user) => exec('-t', ...of(user)) },
    as: (user) => exec('-T', ...of(user)),
  };
}
