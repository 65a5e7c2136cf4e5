import type { TestbedFacts } from '../session/facts.ts';
import type { OtherKernel } from '../session/TestbedSession.ts';

/** What goes into testinfo.json. */
export interface TestInfo {
  /** The backend and its arguments as typed. */
  readonly backend: readonly string[];
  /** What gave the tests their sessions; null where there was none. */
  readonly server: 'sshd' | 'stand-in' | null;
  readonly facts: TestbedFacts | null;
  /** Kernels that tests met, other than that of the start. */
  readonly otherKernels?: readonly OtherKernel[];
  /** `NAME=VALUE` as given with --env. */
  readonly environment: readonly string[];
}

/** Sessions by who gives them, as --session names them. */
const SESSIONS = { sshd: 'login', 'stand-in': 'stand-in' } as const;

/** autopkgtest's testinfo.json, and which kind of session the tests had; keys without a value are left out. Pure. */
export function testInfoJson(info: TestInfo): string {
  const { facts } = info;
  const entries: [string, unknown][] = [
    ['virt_server', info.backend.map(shellWord).join(' ')],
    ['session', info.server === null ? undefined : SESSIONS[info.server]],
    ['kernel_version', facts?.kernel],
    ['test_kernel_versions', info.otherKernels?.length ? info.otherKernels : undefined],
    ['custom_environment', info.environment.length > 0 ? info.environment : undefined],
    ['nproc', facts?.processors],
    ['cpu_model', facts?.cpuModel],
    ['cpu_flags', facts?.cpuFlags],
  ];
  return JSON.stringify(
    Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null)),
    null,
    2,
  );
}

/** A word as one would type it in a shell, quoted only where it has to be. Pure. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
