import type { Capability } from '../../events/index.ts';
import { type Availability, type BackendHost, defineBackend } from '../contract.ts';
import { QUESTION_LIMIT } from '../shared/enter.ts';
import { probeNamespaces } from '../shared/namespaces/identity.ts';
import { ownCgroup } from '../shared/outer/cgroup.ts';
import { OuterTestbed } from '../shared/outer/OuterTestbed.ts';
import { OverlayFiles } from '../shared/outer/OverlayFiles.ts';
import { missingPrograms } from '../shared/programs.ts';
import { type NspawnOptions, nspawnOptions } from './options.ts';
import { nspawnPlan } from './plan.ts';

/** A container of systemd-nspawn(1), with or without the image's init. */
export const nspawnBackend = defineBackend({
  name: 'nspawn',
  summary: 'a container of systemd-nspawn, with its own init if asked; from a directory or tarball',
  options: nspawnOptions,
  help: { positional: ['image'], short: { boot: 'b' } },
  probe,
  capabilities: nspawnCapabilities,
  open,
});

/** What a container can do. Pure. */
function nspawnCapabilities({ boot, login }: NspawnOptions): Capability[] {
  return [
    ...((login ?? 'root') === 'root' ? (['root-on-testbed'] as const) : []),
    'revert',
    'revert-full-system',
    ...(boot ? (['reboot', 'isolation-container'] as const) : []),
  ];
}

function open(options: NspawnOptions, host: BackendHost): OuterTestbed {
  const { image, session, login, normalUser } = options;
  const files = new OverlayFiles(image, host);
  const plan = (cgroup: string) => nspawnPlan(options, files, host, cgroup);
  const capabilities = nspawnCapabilities(options);
  return new OuterTestbed({ backend: 'nspawn', files, plan, capabilities, session, login, normalUser }, host);
}

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
