/** A Debian architecture taken apart (dpkg-architecture(1)): ABI, libc, kernel, CPU. */
type Tuple = readonly [abi: string, libc: string, os: string, cpu: string];

/** Names in which ABI and CPU cannot be read from the name itself (dpkg's tupletable). */
const SPECIAL: Readonly<Record<string, readonly [abi: string, cpu: string]>> = {
  armel: ['eabi', 'arm'],
  armhf: ['eabihf', 'arm'],
  mips64: ['abi64', 'mips64'],
  mips64el: ['abi64', 'mips64el'],
  mips64r6: ['abi64', 'mips64r6'],
  mips64r6el: ['abi64', 'mips64r6el'],
  mipsn32: ['abin32', 'mips64'],
  mipsn32el: ['abin32', 'mips64el'],
  mipsn32r6: ['abin32', 'mips64r6'],
  mipsn32r6el: ['abin32', 'mips64r6el'],
  powerpcspe: ['spe', 'powerpc'],
  x32: ['x32', 'amd64'],
  arm64ilp32: ['ilp32', 'arm64'],
};

/** The libc of a kernel where the name gives none; Linux and the rest of the GNU systems have glibc. */
const LIBC: Readonly<Record<string, string>> = {
  linux: 'gnu',
  hurd: 'gnu',
  kfreebsd: 'gnu',
  knetbsd: 'gnu',
  kopensolaris: 'gnu',
  uclinux: 'uclibc',
  aix: 'sysv',
  solaris: 'sysv',
  mint: 'tos',
};

function tupleOf(architecture: string): Tuple {
  const parts = architecture.split('-');
  const name = parts.at(-1) ?? '';
  const special = parts.length === 1 || name === 'armhf' || name === 'armel' ? SPECIAL[name] : undefined;
  const [abi, cpu] = special ?? ['base', name];
  const os = parts.at(-2) ?? 'linux';
  return [abi, parts.at(-3) ?? LIBC[os] ?? 'bsd', os, cpu];
}

function wildcardTuple(wildcard: string): Tuple {
  const parts = wildcard.split('-');
  const padded = [...Array(Math.max(0, 4 - parts.length)).fill('any'), ...parts] as string[];
  return padded as unknown as Tuple;
}

/** Whether a Debian architecture is meant by a name or wildcard such as `any`, `linux-any` or `any-arm64`. Pure. */
export function matchesArchitecture(architecture: string, wildcard: string): boolean {
  if (wildcard === 'any' || wildcard === architecture) return true;
  // dpkg knows linux-amd64 as another name of amd64, and no linux-hurd-amd64.
  if (!wildcard.split('-').includes('any')) return wildcard === `linux-${architecture}` && !architecture.includes('-');
  const wanted = wildcardTuple(wildcard);
  return tupleOf(architecture).every((part, index) => wanted[index] === 'any' || wanted[index] === part);
}

/**
 * Whether a list as in `[amd64 arm64]` or `[!i386]` covers the architecture (Debian Policy 7.1). Of a list with both, which
 * the policy forbids, dpkg asks entry by entry until one names the architecture; where none does, one with `!` covers it.
 * Pure.
 */
export function listCovers(list: readonly string[], architecture: string): boolean {
  if (list.length === 0) return true;
  const named = list.find((entry) => matchesArchitecture(architecture, entry.replace(/^!/, '')));
  if (named !== undefined) return !named.startsWith('!');
  return list.some((entry) => entry.startsWith('!'));
}

/** Why a test with this Architecture field does not run on an architecture; null where it does. Pure. */
export function architectureObstacle(list: readonly string[], architecture: string): string | null {
  if (list.includes('all')) return "Arch 'all' not allowed in Architecture field";
  const negative = list.filter((entry) => entry.startsWith('!'));
  if (negative.some((entry) => matchesArchitecture(architecture, entry.slice(1)))) {
    return `Test declares architecture as not supported: ${architecture}`;
  }
  if (negative.length > 0 && negative.length < list.length) {
    return "It is not permitted for some archs to be prepended by an exclamation mark while others aren't";
  }
  if (negative.length === 0 && !listCovers(list, architecture)) {
    return `Test lists explicitly supported architectures, but the current architecture ${architecture} isn't listed.`;
  }
  return null;
}
