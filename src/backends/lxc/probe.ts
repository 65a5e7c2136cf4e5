import { type Availability, BackendError } from '../contract.ts';
import { QUESTION_LIMIT } from '../shared/enter.ts';
import { probeNamespaces } from '../shared/namespaces/identity.ts';
import { ownCgroup } from '../shared/outer/cgroup.ts';
import { missingPrograms } from '../shared/programs.ts';
import { lastLine, runProgram } from '../shared/runProgram.ts';

/** All that the backend may run. */
const PROGRAMS = [
  ...['lxc-start', 'lxc-attach', 'lxc-copy', 'lxc-destroy', 'lxc-config'],
  ...['unshare', 'nsenter', 'mount', 'flock', 'tar'],
];

/** Can this machine run containers of LXC? Changes nothing. */
export async function probe(): Promise<Availability> {
  const missing = missingPrograms(PROGRAMS);
  if (missing !== null) return missing;
  if (process.getuid?.() !== 0)
    return { available: false, missing: 'only root can', remedy: 'run trundle as root, or use the podman backend' };
  if (ownCgroup() === null)
    return {
      available: false,
      missing: 'this kernel has no control groups of version 2',
      remedy: 'boot it without cgroup_disable=',
    };
  const namespaces = await probeNamespaces('root', AbortSignal.timeout(QUESTION_LIMIT));
  if (!namespaces.available) return namespaces;
  const { status, stdout, stderr } = await ask(['lxc-start', '--version']);
  if (status !== 0) return { available: false, missing: `lxc-start fails: ${lastLine(stderr)}` };
  return { available: true, detail: `lxc ${lastLine(stdout)}` };
}

/** Where this machine keeps containers (lxc.lxcpath of lxc.system.conf(5)). @throws BackendError */
export async function machinesLxcpath(signal: AbortSignal): Promise<string> {
  const { status, stdout, stderr } = await runProgram(['lxc-config', 'lxc.lxcpath'], { signal });
  const path = lastLine(stdout);
  if (status === 0 && path.startsWith('/')) return path;
  throw new BackendError('no-lxcpath', `lxc-config does not tell where containers are: ${lastLine(stderr)}`, {
    remedy: 'give --lxcpath DIRECTORY',
  });
}

function ask(argv: readonly string[]) {
  return runProgram(argv, { signal: AbortSignal.timeout(QUESTION_LIMIT) });
}
