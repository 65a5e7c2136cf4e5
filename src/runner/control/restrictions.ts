import type { Capability } from '../../events/index.ts';

/** What a test can need from a testbed: its capabilities, and access to the internet (autopkgtest --needs-internet). */
export type Need = Capability | 'has_internet';

/** What a restriction asks of the testbed: any one of the needs; an empty list asks nothing. */
const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  'allow-stderr': [],
  'breaks-testbed': ['revert-full-system'],
  'build-needed': [],
  flaky: [],
  'isolation-container': ['isolation-container', 'isolation-machine'],
  'isolation-machine': ['isolation-machine'],
  'needs-internet': ['has_internet'],
  'needs-reboot': ['reboot'],
  'needs-recommends': [],
  'needs-root': ['root-on-testbed'],
  'needs-sudo': [],
  'rw-build-tree': [],
  'skip-foreign-architecture': [],
  'skip-not-installable': [],
  skippable: [],
  superficial: [],
};

/** Dependencies that a restriction brings along. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  'needs-recommends': ['@recommends@'],
  'needs-sudo': ['passwd', 'sudo'],
};

/** What the restriction asks of the testbed; null for a restriction that DEP-8 does not know. */
export function needsOf(restriction: string): readonly Need[] | null {
  return Object.hasOwn(NEEDS, restriction) ? (NEEDS[restriction] ?? null) : null;
}

/** Dependencies that the restriction adds to the test's own. */
export function dependenciesOf(restriction: string): readonly string[] {
  return Object.hasOwn(IMPLIED, restriction) ? (IMPLIED[restriction] ?? []) : [];
}
