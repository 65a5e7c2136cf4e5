import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Availability, BackendError } from '../contract.ts';
import { QUESTION_LIMIT } from '../shared/enter.ts';
import { whyNoSubuids } from '../shared/namespaces/identity.ts';
import { ownCgroup } from '../shared/outer/cgroup.ts';
import { findProgram, installCommand, missingPrograms } from '../shared/programs.ts';
import { lastLine, type ProgramResult, runProgram } from '../shared/runProgram.ts';
import type { Engine } from './commands.ts';
import { DELEGATION_REMEDY, explain } from './explain.ts';
import type { ContainerOptions, Program } from './options.ts';
import { confValue, podmanConf } from './podmanConf.ts';
import { whyNoLimits } from './rootLimits.ts';

/** CGROUP2_SUPER_MAGIC of linux/magic.h. */
const CGROUP2 = 0x63677270;

const NO_CGROUP2 = 'an init needs cgroup v2 at /sys/fs/cgroup';
const CGROUP2_REMEDY =
  'boot with systemd.unified_cgroup_hierarchy=1, or give --program a script that mounts it for itself (docs/backends-shared.md)';

/** Can this machine run containers of podman or docker? Changes nothing: podman info would make directories. */
export async function probe(program: Program): Promise<Availability> {
  const missing = missingPrograms([program]);
  if (missing !== null) return missing;
  return program === 'docker' ? await probeDocker() : await probePodman();
}

async function probePodman(): Promise<Availability> {
  const version = await ask(['podman', '--version']);
  if (version.status !== 0) return { available: false, missing: `podman fails: ${lastLine(version.stderr)}` };
  const runtime = ['crun', 'runc'].find((name) => findProgram(name) !== null);
  if (runtime === undefined)
    return { available: false, missing: 'no runtime for containers', remedy: 'apt-get install crun' };
  const rootless = process.getuid?.() !== 0;
  if (!hasMonitor())
    return { available: false, missing: 'no conmon, which holds containers', remedy: installCommand('conmon') };
  const why = rootless ? whyNoSubuids() : whyNoLimits(lastLine(version.stdout));
  if (why !== null) return { available: false, ...why };
  const unified = await hasCgroup2();
  if (!unified && findProgram('runc') === null)
    return { available: false, missing: 'crun takes cgroup v2, and there is none', remedy: 'apt-get install runc' };
  return {
    available: true,
    detail: `${lastLine(version.stdout)}${rootless ? ', rootless' : ''}${withoutInit(unified)}${rootless && unified ? withoutDelegation() : ''}`,
  };
}

/** Directories that podman looks for conmon(8) in before it looks in $PATH. */
const MONITORS = ['/usr/libexec/podman', '/usr/local/libexec/podman', '/usr/local/lib/podman', '/usr/lib/podman'];

function hasMonitor(): boolean {
  // Whoever names a place of their own may be believed.
  const isNamed = () => podmanConf().some((text) => confValue(text, 'conmon_path') !== null);
  return findProgram('conmon') !== null || MONITORS.some((each) => existsSync(join(each, 'conmon'))) || isNamed();
}

async function probeDocker(): Promise<Availability> {
  const engine: Engine = { name: 'docker', argv: ['docker'] };
  const info = await ask(['docker', 'info', '--format', '{{.ServerVersion}} {{.CgroupVersion}}']);
  const [version = '', cgroups] = info.stdout.trim().split(' ');
  if (info.status !== 0 || !/^\d/.test(version)) {
    const attempt = { engine, container: '', image: '', doing: 'asking docker', code: 'docker-fails' };
    const { message, remedy } = explain(await whyNoInfo(engine, info, AbortSignal.timeout(QUESTION_LIMIT)), attempt);
    return { available: false, missing: message, ...(remedy === undefined ? {} : { remedy }) };
  }
  return { available: true, detail: `docker ${version}${withoutInit(cgroups === '2')}` };
}

/**
 * Why `info` failed: docker 20.10 tells no more than that its template has nothing to show, where others say that no daemon
 * answers. Asked for its version it does.
 */
async function whyNoInfo(engine: Engine, info: ProgramResult, signal: AbortSignal): Promise<ProgramResult> {
  if (engine.name !== 'docker') return info;
  const version = await runProgram([...engine.argv, 'version', '--format', '{{.Server.Version}}'], { signal });
  return version.status === 0 ? info : version;
}

function withoutInit(unified: boolean): string {
  return unified ? '' : `; without --init only: ${NO_CGROUP2}; ${CGROUP2_REMEDY}`;
}

/** An ordinary user's init needs a control group of the user's own: systemd's manager of the user makes them. */
function withoutDelegation(): string {
  const runtime = process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`;
  const isManaged = existsSync(join(runtime, 'systemd/private'));
  const own = ownCgroup();
  // A runtime makes a container's group beside its own.
  const isOwn = own !== null && mayWrite(join('/sys/fs/cgroup', dirname(own)));
  return isManaged || isOwn ? '' : `; without --init only: no control group is this user's own; ${DELEGATION_REMEDY}`;
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    // It belongs to somebody else, or is not there.
    return false;
  }
}

/** Configurations whose engine has them: to ask podman takes it a second, most of it for versions of packages. */
const askedFor = new WeakSet<ContainerOptions>();

/**
 * On cgroup v1 an init boots, but hangs when it is to shut down. Asks once for all testbeds of a configured backend.
 * @throws BackendError `no-cgroup2`
 */
export async function mustHaveCgroups(engine: Engine, options: ContainerOptions, signal: AbortSignal): Promise<void> {
  if (askedFor.has(options)) return;
  const field = engine.name === 'docker' ? '{{.CgroupVersion}}' : '{{.Host.CgroupsVersion}}';
  const result = await runProgram([...engine.argv, 'info', '--format', field], { signal });
  if (result.status !== 0) {
    const attempt = { engine, container: '', image: '', doing: `asking ${engine.name}`, code: 'info-failed' };
    throw explain(await whyNoInfo(engine, result, signal), attempt);
  }
  if (/^v?1$/.test(result.stdout.trim())) throw new BackendError('no-cgroup2', NO_CGROUP2, { remedy: CGROUP2_REMEDY });
  askedFor.add(options);
}

async function hasCgroup2(): Promise<boolean> {
  return await statfs('/sys/fs/cgroup').then(
    ({ type }) => type === CGROUP2,
    () => false,
  );
}

function ask(argv: readonly string[]) {
  return runProgram(argv, { signal: AbortSignal.timeout(QUESTION_LIMIT) });
}
