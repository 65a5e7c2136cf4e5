import { join } from 'node:path';
import type { Capability } from '../../events/index.ts';
import { type BackendHost, defineBackend } from '../contract.ts';
import { OuterTestbed } from '../shared/outer/OuterTestbed.ts';
import { OverlayFiles } from '../shared/outer/OverlayFiles.ts';
import { CopiedContainer } from './CopiedContainer.ts';
import { isPath, type LxcOptions, lxcOptions } from './options.ts';
import { checkArgs, containerPlan, imagePlan } from './plan.ts';
import { probe } from './probe.ts';

/** A system container of LXC, without a daemon. */
export const lxcBackend = defineBackend({
  name: 'lxc',
  summary: 'a system container of LXC, with its own init; of a container, a directory or a tarball',
  options: lxcOptions,
  help: {
    positional: ['template', 'args'],
    passThrough: true,
    short: { ephemeral: 'e', lxcpath: 'P', sudo: 's', debug: 'd' },
  },
  probe,
  capabilities: lxcCapabilities,
  open,
});

/** What a container can do. Pure. */
function lxcCapabilities({ login }: LxcOptions): Capability[] {
  return [
    ...((login ?? 'root') === 'root' ? (['root-on-testbed'] as const) : []),
    'revert',
    'revert-full-system',
    'isolation-container',
    'reboot',
  ];
}

function open(options: LxcOptions, host: BackendHost): OuterTestbed {
  const { template, session, login, normalUser } = options;
  const name = options.name ?? `trundle-${host.run}-${host.testbed}`.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 63);
  const capabilities = lxcCapabilities(options);
  const check = () => checkArgs(options);
  const common = { backend: 'lxc', check, capabilities, session, login, normalUser };
  if (isPath(template)) {
    const files = new OverlayFiles(template, host);
    return new OuterTestbed({ ...common, files, plan: (cgroup) => imagePlan(options, files, name, cgroup) }, host);
  }
  const files = new CopiedContainer({ ...options, name, named: options.name !== undefined }, host);
  const scratch = join(host.workDirectory, 'run');
  const plan = (cgroup: string) => containerPlan(options, { name, lxcpath: files.lxcpath, scratch }, cgroup);
  return new OuterTestbed({ ...common, files, plan }, host);
}
