import { type Availability, defineBackend } from '../contract.ts';
import { QUESTION_LIMIT } from '../shared/enter.ts';
import { probeNamespaces } from '../shared/namespaces/identity.ts';
import { missingPrograms } from '../shared/programs.ts';
import { ownCgroup } from './cgroup.ts';
import { NspawnTestbed, nspawnCapabilities } from './NspawnTestbed.ts';
import { nspawnOptions } from './options.ts';

/** A container of systemd-nspawn(1), with or without the image's init. */
export const nspawnBackend = defineBackend({
  name: 'nspawn',
  summary: 'a container of systemd-nspawn, with its own init if asked; from a directory or tarball',
  options: nspawnOptions,
  help: { positional: ['image'], short: { boot: 'b' } },
  probe,
  capabilities: nspawnCapabilities,
  open: (options, host) => new NspawnTestbed(options, host),
});

async function probe(): Promise<Availability> {
  const missing = missingPrograms(['systemd-nspawn', 'unshare', 'nsenter', 'mount', 'flock', 'tar']);
  if (missing !== null) return missing;
  if (process.getuid?.() !== 0)
    return { available: false, missing: 'only root can', remedy: 'run trundle as root, or use the unshare backend' };
  if (ownCgroup() === null)
    return {
      available: false,
      missing: 'this kernel has no control groups of version 2',
      remedy: 'boot it without cgroup_disable=',
    };
  return await probeNamespaces('root', AbortSignal.timeout(QUESTION_LIMIT));
}
