import { readFileSync } from 'node:fs';
import { ownAccount } from '../../../host/index.ts';
import { type Availability, BackendError } from '../../contract.ts';
import { findProgram, installCommand } from '../programs.ts';
import { quote } from '../quote.ts';
import { lastLine, runProgram } from '../runProgram.ts';
import { giveUsSubids, type SubidRange, subidFiles } from './subids.ts';

/**
 * Who we are inside: `root` real root, without a user namespace; `subuids` root of a user namespace that has a range of
 * subordinate ids; `single` ourselves in a user namespace with no other id.
 */
export type Identity = 'root' | 'subuids' | 'single';

/** unshare(1)'s options for an identity. */
export const USER_FLAGS: Readonly<Record<Identity, readonly string[]>> = {
  root: [],
  subuids: ['--user', '--map-auto', '--map-root-user'],
  single: ['--user', '--map-current-user', '--keep-caps'],
};

/** The prefix under which files of an identity's testbeds are made and removed. */
export function asOwner(identity: Identity): readonly string[] {
  return identity === 'subuids' ? ['unshare', ...USER_FLAGS.subuids, '--'] : [];
}

/** Why there can be no range of subordinate ids for this user; null where there can. */
export function whyNoSubuids(): { missing: string; remedy: string } | null {
  const helper = ['newuidmap', 'newgidmap'].find((name) => findProgram(name) === null);
  if (helper !== undefined) return { missing: `no ${helper}`, remedy: installCommand(helper) };
  if (gainsNothing())
    return {
      missing: 'newuidmap(1) gains nothing here: no_new_privs is set',
      remedy:
        'start trundle where that is not set: by NoNewPrivileges= of systemd, allowPrivilegeEscalation of Kubernetes, setpriv(1)',
    };
  const { name } = ownAccount();
  const without = subidFiles().find(({ ranges }) => !ranges.some(isOurs));
  if (without === undefined) return null;
  return {
    missing: `no subordinate ids for ${name} in ${without.file}`,
    remedy: `as root: ${giveUsSubids()}`,
  };
}

/** The identity that is best for this user. */
export function bestIdentity(): Identity {
  if (process.getuid?.() === 0) return 'root';
  return whyNoSubuids() === null ? 'subuids' : 'single';
}

/** Whether namespaces of an identity can be made here; asks the kernel by making some. */
export async function probeNamespaces(identity: Identity, signal: AbortSignal): Promise<Availability> {
  const argv = [
    'unshare',
    ...USER_FLAGS[identity],
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--ipc',
    '--uts',
    'true',
  ];
  const result = await runProgram(argv, { signal });
  if (result.status === 0) return { available: true };
  return { available: false, ...explainUnshare(identity, result.stderr) };
}

/** Why unshare(1) could not make the namespaces, and what would mend it. */
export function explainUnshare(identity: Identity, stderr: string): { code: string; missing: string; remedy: string } {
  const words = lastLine(stderr);
  if (identity === 'subuids') {
    const why = whyNoSubuids();
    if (why !== null) return { code: 'no-subuids', ...why };
  }
  const limit = numberIn('/proc/sys/user/max_user_namespaces');
  if (limit === 0) {
    return {
      code: 'no-permission',
      missing: `no user namespaces are allowed here (${words})`,
      remedy: 'as root: sysctl user.max_user_namespaces=10000',
    };
  }
  if (numberIn('/proc/sys/kernel/unprivileged_userns_clone') === 0) {
    return {
      code: 'no-permission',
      missing: `ordinary users may not make user namespaces (${words})`,
      remedy: 'as root: sysctl kernel.unprivileged_userns_clone=1',
    };
  }
  if (numberIn('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1) {
    return {
      code: 'no-permission',
      missing: `AppArmor keeps ordinary users from making user namespaces (${words})`,
      remedy: 'as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    };
  }
  const chrooted =
    identity === 'root'
      ? 'run it with CAP_SYS_ADMIN (a container needs --privileged)'
      : 'leave the chroot or container that trundle runs in, or run it as root';
  return { code: 'no-permission', missing: `namespaces cannot be made here: ${words}`, remedy: chrooted };
}

/**
 * Why the files of an image could not be made, where that is for want of ids and not for the image; null for any other
 * reason.
 */
export function explainOwners(identity: Identity, stderr: string): BackendError | null {
  if (/^(unshare|newuidmap|newgidmap): /m.test(stderr)) {
    const { code, missing, remedy } = explainUnshare(identity, stderr);
    return new BackendError(code, missing, { remedy });
  }
  const device = /^tar: (.*): Cannot mknod: Operation not permitted$/m.exec(stderr)?.[1];
  if (device !== undefined)
    return new BackendError(
      'no-permission',
      `the image has a device besides those of /dev, which only root can make: ${device}`,
      {
        remedy: `run trundle as root, or make the tarball anew without it: tar --exclude=${quote(device)}`,
      },
    );
  const foreign = /^tar: .*: Cannot change ownership to .*: Invalid argument$/m.exec(stderr)?.[0];
  if (identity === 'subuids' && foreign !== undefined)
    return new BackendError('few-ids', `files of the image belong to ids that the testbed has not: ${foreign}`, {
      remedy: 'run trundle as root, or make the tarball anew with other owners: tar --owner=root --group=root',
    });
  const count = Math.min(...['uid_map', 'gid_map'].map((name) => idsIn(textOf(`/proc/self/${name}`))));
  if (identity !== 'root' || count >= NORMAL_IDS || !/Cannot change ownership/.test(stderr)) return null;
  return new BackendError(
    'few-ids',
    `root is that of a user namespace here, and has ${count} of the ids that own files of an image`,
    { remedy: `run trundle outside of it, or give it ${NORMAL_IDS} ids, as unshare --map-auto --map-root-user does` },
  );
}

/** All that Debian knows by a fixed number, nobody (65534) among them. */
const NORMAL_IDS = 65_536;

/** How many ids a user namespace has, as uid_map of proc(5) tells; all that there are where it does not tell. Pure. */
function idsIn(map: string): number {
  const counts = map.split('\n').flatMap((line) => /^\s*\d+\s+\d+\s+(\d+)$/.exec(line)?.[1] ?? []);
  return counts.length === 0 ? 2 ** 32 : counts.reduce((sum, count) => sum + Number(count), 0);
}

/** Whether a range is this user's. */
export function isOurs({ owner }: SubidRange): boolean {
  const { name, uid } = ownAccount();
  return owner === name || owner === String(uid);
}

/** Whether setuid programs run as whoever starts them (PR_SET_NO_NEW_PRIVS of prctl(2)). */
function gainsNothing(): boolean {
  return process.getuid?.() !== 0 && /^NoNewPrivs:\t1$/m.test(textOf('/proc/self/status'));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // A /proc that is not there, or tells nothing.
    return '';
  }
}

function numberIn(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    // This kernel does not have that limit.
    return null;
  }
}
