import { BackendError } from '../contract.ts';
import { failureOfProgram, NO_ROOM, type ProgramResult } from '../shared/runProgram.ts';
import { type Client, removeArgv } from './commands.ts';

/** What was being done when the client failed. */
export interface Attempt {
  readonly client: Client;
  readonly instance: string;
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

const called = ({ client }: Attempt) => client.argv.join(' ');

/** The command that prepares a daemon of which nobody has made anything yet. */
export const PREPARE = { lxd: 'lxd init --minimal', incus: 'incus admin init --minimal' } as const;

/** The group whose members may speak to a daemon. */
export const GROUPS = { lxd: 'lxd', incus: 'incus-admin' } as const;

/** What we say ourselves, having looked. */
export const NO_INIT = 'there is no /sbin/init in it';
export const NAME_TAKEN = 'an instance of that name already exists';

/** What lxc(1) and incus(1), their daemons and liblxc below them say, and what it means. The first that fits. */
const REASONS: readonly Reason[] = [
  {
    // Whatever else went wrong, it may have done so for this.
    pattern: NO_ROOM,
    code: 'ENOSPC',
    what: ({ client }) => `there is no room left where ${client.daemon} keeps images and instances`,
    remedy: (attempt) =>
      `df -h; ${called(attempt)} storage list, and storage info POOL, tell what is full: remove what is not needed, or give another pool after the image: --storage=POOL`,
  },
  {
    pattern: /Unexpected EOF in archive|unexpected end of (file|input)|not in gzip format/i,
    code: 'image-damaged',
    what: ({ image }) => `the image ${image} cannot be unpacked`,
    remedy: (attempt) =>
      `make or fetch it anew: ${called(attempt)} image delete ${attempt.image}; ${called(attempt)} image import`,
  },
  {
    pattern: /Could not access|Please grant it x access/i,
    code: 'storage-closed',
    what: ({ client }) => `root of the container may not enter the directory where ${client.daemon} keeps it`,
    remedy: () => 'chmod a+x the directory that is named, and those above it',
  },
  {
    pattern: /permission denied|needed permissions/i,
    code: 'no-permission',
    what: ({ client }) => `this user may not speak to ${client.daemon}`,
    remedy: ({ client }) => `as root: adduser "$USER" ${GROUPS[client.daemon]}; then log in anew`,
  },
  {
    pattern:
      /connect: |connection refused|connection reset|unix\.socket|(unexpected )?EOF$|daemon (is )?(not|shutting)|is the daemon running/im,
    code: 'daemon-not-running',
    what: ({ client }) => `the daemon of ${client.daemon} does not answer`,
    remedy: ({ client }) =>
      `systemctl start ${client.daemon}, or set ${client.daemon === 'lxd' ? 'LXD_DIR' : 'INCUS_DIR'} to where its socket is`,
  },
  {
    pattern: /already (exists|in use)|UNIQUE constraint failed: instances/i,
    code: 'name-in-use',
    what: ({ instance }) => `there is an instance ${instance} already, and it is not ours`,
    remedy: (attempt) => `${called(attempt)} delete --force ${attempt.instance}, if nobody needs it`,
  },
  {
    pattern: /image.*not found|couldn't find.*image|failed getting image/i,
    code: 'image-missing',
    what: ({ image }) => `there is no image ${image} here`,
    remedy: (attempt) =>
      `${called(attempt)} image list; ${called(attempt)} image import METADATA.tar ROOTFS.tar --alias ${attempt.image} makes one of a root file system`,
  },
  {
    pattern: /remote "?\S+?"? doesn't exist|no remote found/i,
    code: 'no-remote',
    what: ({ client }) => `the client of ${client.daemon} knows no other machine of that name`,
    remedy: (attempt) => `${called(attempt)} remote list lists those that it knows; remote add makes one known`,
  },
  {
    pattern: /loading storage pool "?\S+?"?: (storage pool )?(not found|no such object)/i,
    code: 'no-storage',
    what: ({ client }) => `${client.daemon} has no storage of that name`,
    remedy: (attempt) => `${called(attempt)} storage list lists what there is`,
  },
  {
    pattern: /no root device|no storage pool|storage pool not found|root disk/i,
    code: 'not-prepared',
    what: ({ client }) => `${client.daemon} has no storage for instances yet`,
    remedy: ({ client }) => `as root: ${PREPARE[client.daemon]}`,
  },
  {
    pattern: /exec format error/i,
    code: 'wrong-architecture',
    what: ({ image }) => `the image ${image} is for another kind of processor (this machine: ${process.arch})`,
    remedy: () => 'use an image of this architecture, or apt-get install qemu-user-static',
  },
  {
    pattern: /architecture/i,
    code: 'wrong-architecture',
    what: ({ image }) => `the image ${image} says that it is for another kind of processor`,
    remedy: () => `use an image of this architecture (${process.arch})`,
  },
  {
    pattern: /No such file or directory - Failed to exec|failed to exec "?\/sbin\/init|there is no \/sbin\/init in it/i,
    code: 'no-init',
    what: ({ image }) => `the image ${image} has no /sbin/init`,
    remedy: () => 'install systemd-sysv in the image',
  },
];

/** The error for a client that did not succeed. Pure. */
export function explain(result: Pick<ProgramResult, 'status' | 'killedBy' | 'stderr'>, attempt: Attempt): BackendError {
  const { client, doing, code } = attempt;
  const reason = REASONS.find(({ pattern }) => pattern.test(result.stderr));
  if (reason === undefined) return failureOfProgram(client.argv[0] ?? '', { ...result, stdout: '' }, { code, doing });
  const said = result.stderr.split('\n').findLast((line) => reason.pattern.test(line)) ?? '';
  return new BackendError(reason.code, `${reason.what(attempt)} (${doing}: ${said.trim()})`, {
    remedy: reason.remedy(attempt),
  });
}

/** Reasons for which nothing was made. */
const NOTHING_MADE = new Set([
  'program-missing',
  'daemon-not-running',
  'no-permission',
  'name-in-use',
  'image-missing',
  'no-remote',
  'no-storage',
  'not-prepared',
]);

/** Whether it is certain that an instance was not made, so that one of its name is not ours. Pure. */
export function madeNothing(error: unknown): boolean {
  return error instanceof BackendError && NOTHING_MADE.has(error.code);
}

/** What to do about an instance that could not be removed. Pure. */
export function removalRemedy(client: Client, instance: string): string {
  const command = removeArgv(client, instance).slice(4).join(' ');
  return `see that its daemon runs (systemctl start ${client.daemon}), then ${command}; or trundle reap`;
}
