import { BackendError } from '../contract.ts';
import { giveUsSubids } from '../shared/namespaces/subids.ts';
import { failureOfProgram, NO_ROOM, type ProgramResult, tellingLine } from '../shared/runProgram.ts';
import { type Engine, removeArgv } from './commands.ts';
import { LOWER_LIMITS } from './rootLimits.ts';

/** What was being done when the program failed. */
export interface Attempt {
  readonly engine: Engine;
  readonly container: string;
  readonly image: string;
  readonly doing: string;
  /** The code where the reason is not recognised. */
  readonly code: string;
}

interface Reason {
  readonly pattern: RegExp;
  readonly code: string;
  readonly what: (attempt: Attempt) => string;
  readonly remedy: (attempt: Attempt) => string;
}

const called = ({ engine }: Attempt) => engine.argv.join(' ');

/** What says where images and containers are kept. */
const STORE = { podman: 'graphroot in storage.conf', docker: 'data-root in daemon.json' } as const;

/** What podman(1), docker(1) and the runtimes below them say, and what it means. The first that fits. */
const REASONS: readonly Reason[] = [
  {
    // Whatever else went wrong, it may have done so for this.
    pattern: NO_ROOM,
    code: 'ENOSPC',
    what: ({ engine }) => `there is no room left where ${engine.name} keeps images and containers`,
    remedy: (attempt) =>
      `df -h; ${called(attempt)} system df tells what takes the room: remove what is not needed, or set ${STORE[attempt.engine.name]} to where there is room`,
  },
  {
    pattern: /permission denied while trying to connect|dial unix \S+: connect: permission denied/i,
    code: 'no-permission',
    what: ({ engine }) => `this user may not speak to ${engine.name}`,
    remedy: () => 'adduser "$USER" docker and log in anew, or give --sudo',
  },
  {
    pattern: /Cannot connect to (the Docker daemon|Podman)|Is the docker daemon running|error during connect/i,
    code: 'daemon-not-running',
    what: ({ engine }) => `the daemon of ${engine.name} does not answer`,
    remedy: ({ engine }) =>
      `systemctl start ${engine.name === 'docker' ? 'docker' : 'podman.socket'}, or set ${engine.name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST'} to where it listens`,
  },
  {
    pattern: /unable to resolve docker endpoint|context "\S*": context not found/i,
    code: 'no-context',
    what: ({ engine }) => `${engine.name} is told of a context that it does not know`,
    remedy: (attempt) =>
      `${called(attempt)} context ls lists those that are there: set DOCKER_CONTEXT to one of them, or ${called(attempt)} context use default`,
  },
  {
    pattern: /client version \S+ is too (old|new)|client is newer than server/i,
    code: 'wrong-version',
    what: ({ engine }) => `the daemon of ${engine.name} does not speak with a client of this version`,
    remedy: () => 'install the client that came with the daemon; DOCKER_API_VERSION has a newer one speak as an older',
  },
  {
    pattern: /name "?\S+"? is already in use|that name is already in use/i,
    code: 'name-in-use',
    what: ({ container }) => `there is a container ${container} already, and it is not ours`,
    remedy: (attempt) => `${called(attempt)} rm --force ${attempt.container}, if nobody needs it`,
  },
  {
    pattern: /image not known|No such image|Unable to find image|no such image|repository does not exist/i,
    code: 'image-missing',
    what: ({ image }) => `there is no image ${image} here`,
    remedy: (attempt) =>
      `${called(attempt)} pull ${attempt.image}, or --pull; ${called(attempt)} import TARBALL ${attempt.image} makes one of a root file system`,
  },
  {
    pattern: /OCI runtime "?[\w.-]+"? not found|could not find a working conmon/i,
    code: 'program-missing',
    what: ({ engine }) => `this machine lacks a program that ${engine.name} runs containers by`,
    remedy: () => 'apt-get install conmon crun (or runc, where there is no cgroup v2)',
  },
  {
    pattern: /exec format error/i,
    code: 'wrong-architecture',
    what: ({ image }) => `the image ${image} is for another kind of processor (this machine: ${process.arch})`,
    remedy: () => 'use an image of this architecture, or apt-get install qemu-user-static',
  },
  {
    pattern: /\/bin\/sh\W.*(no such file|not found|permission denied)|(not found|no such file).*\/bin\/sh/i,
    code: 'no-shell',
    what: ({ image }) => `the image ${image} has no /bin/sh that runs`,
    remedy: () => 'use an image with a POSIX shell, and with the libraries that it needs',
  },
  {
    pattern: /rlimit|ulimit/i,
    code: 'limits-refused',
    what: ({ engine }) => `${engine.name} may not give a container the limits that it wants to`,
    remedy: () => `after the image, name limits that it may give: ${LOWER_LIMITS}`,
  },
  {
    pattern: /newuidmap|newgidmap|no subuid ranges|insufficient UIDs|cannot set up namespace/i,
    code: 'no-subuids',
    what: () => 'this user cannot have the user ids that the container needs',
    remedy: () => `apt-get install uidmap; as root: ${giveUsSubids()}; then podman system migrate`,
  },
  {
    // A hierarchy of version 2 beside that of version 1 which has the controllers.
    pattern: /pids\.max: no such file/i,
    code: 'no-cgroups',
    what: ({ engine }) => `${engine.name} cannot limit the number of processes in the control group that it made`,
    remedy: () =>
      'after the image: --pids-limit=0, where the controllers are those of cgroup v1 (docs/backends-shared.md)',
  },
  {
    pattern: /cgroup/i,
    code: 'no-cgroups',
    what: ({ engine }) => `${engine.name} cannot make a control group for the container`,
    remedy: () =>
      'boot with systemd.unified_cgroup_hierarchy=1, or give --program a script with a view of cgroup v2 (docs/backends-shared.md)',
  },
];

/** The error for a program that did not succeed. */
export function explain(result: Pick<ProgramResult, 'status' | 'killedBy' | 'stderr'>, attempt: Attempt): BackendError {
  const { engine, doing, code } = attempt;
  const reason = REASONS.find(({ pattern }) => pattern.test(result.stderr));
  if (reason === undefined) return failureOfProgram(engine.argv[0] ?? '', { ...result, stdout: '' }, { code, doing });
  return new BackendError(reason.code, `${reason.what(attempt)} (${doing}: ${tellingLine(result.stderr)})`, {
    remedy: reason.remedy(attempt),
  });
}

/** How systemd says that it may not make control groups. */
const NO_DELEGATION = /Failed to (create \S+ control group|mount cgroup).*/;

/** What an ordinary user can do about it. */
export const DELEGATION_REMEDY =
  "loginctl enable-linger and log in anew, not by su or sudo; where no systemd runs, start trundle in a control group of the user's own (docs/backends-shared.md); or leave --init out";

/**
 * The error for an init that ended, or never came up.
 * @param how what is known of it besides
 * @param said what it printed. Pure.
 */
export function explainInit(how: string, said: string, remedy: string): BackendError {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: systemd colours what it says
  const plain = said.replaceAll(/\x1b\[[0-9;]*m/g, '');
  const refusal = NO_DELEGATION.exec(plain);
  if (refusal !== null)
    return new BackendError('no-delegation', `the init may not make control groups here: ${refusal[0].trim()}`, {
      remedy: DELEGATION_REMEDY,
    });
  return new BackendError('not-booted', `the init does not come up: ${how}`, { remedy });
}

/** Reasons for which nothing was made. */
const NOTHING_MADE = new Set([
  'program-missing',
  'daemon-not-running',
  'no-permission',
  'no-context',
  'wrong-version',
  'name-in-use',
  'image-missing',
  'usage',
]);

/** Whether it is certain that a container was not made, so that one of its name is not ours. Pure. */
export function madeNothing(error: unknown): boolean {
  return error instanceof BackendError && NOTHING_MADE.has(error.code);
}

/** What to do about a container that could not be removed. Pure. */
export function removalRemedy(engine: Engine, container: string): string {
  const command = removeArgv({ ...engine, name: 'podman' }, container).filter((word) => word !== '--ignore');
  const daemon = engine.name === 'docker' ? 'see that its daemon runs (systemctl start docker), then ' : '';
  return `${daemon}${command.join(' ')}; or trundle reap`;
}
