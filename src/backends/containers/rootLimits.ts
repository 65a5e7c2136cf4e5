import { readFileSync } from 'node:fs';
import { confValue, podmanConf } from './podmanConf.ts';

/** What root's podman gives a container, soft and hard, where nobody names other limits. */
const ASKED = 1_048_576;

/** The limits that it gives, as --ulimit and proc(5) name them. */
const LIMITS = [
  { name: 'nofile', row: 'Max open files' },
  { name: 'nproc', row: 'Max processes' },
] as const;

/** The bit of CAP_SYS_RESOURCE in capabilities(7). */
const SYS_RESOURCE = 24n;

/** Options that name limits which everybody may give. */
export const LOWER_LIMITS = '--ulimit nofile=1024:1024 --ulimit nproc=1024:1024';

/** From this version on podman takes what the process has, where root may not raise it. */
const SINCE = [5, 4] as const;

/** What is looked at. */
export interface LimitFacts {
  /** What `podman --version` says. */
  readonly version: string;
  /** /proc/self/status */
  readonly status: string;
  /** /proc/self/limits */
  readonly limits: string;
  /** The files of containers.conf(5). */
  readonly conf: readonly string[];
}

/** Why the containers of root's podman would get no limits: those that it asks for, and may not have. Null where it may. */
export function whyNoLimits(version: string): { missing: string; remedy: string } | null {
  try {
    const read = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8');
    return judgeLimits({ version, status: read('status'), limits: read('limits'), conf: podmanConf() });
  } catch {
    // Without a /proc nobody can tell.
    return null;
  }
}

/** What {@link whyNoLimits} makes of what it has read. Pure. */
export function judgeLimits({ version, status, limits, conf }: LimitFacts): { missing: string; remedy: string } | null {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (capabilities === undefined || ((BigInt(`0x${capabilities}`) >> SYS_RESOURCE) & 1n) === 1n) return null;
  if (takesWhatThereIs(version)) return null;
  const named = conf.flatMap((text) => confValue(text, 'default_ulimits') ?? []).join();
  const lower = LIMITS.flatMap(({ name, row }) => {
    const hard = Number(new RegExp(`^${row}\\s+\\S+\\s+(\\d+)`, 'm').exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
    return hard < ASKED && !named.includes(`"${name}=`) ? [`${name} ${hard}`] : [];
  });
  if (lower.length === 0) return null;
  return {
    missing: `podman gives a container limits of ${ASKED}, which root may not raise here without CAP_SYS_RESOURCE (hard limits: ${lower.join(', ')})`,
    remedy: `in /etc/containers/containers.conf, below [containers]: default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]; or after each image: ${LOWER_LIMITS}`,
  };
}

/** Pure. */
function takesWhatThereIs(version: string): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return false;
  return Number(major) > SINCE[0] || (Number(major) === SINCE[0] && Number(minor) >= SINCE[1]);
}
