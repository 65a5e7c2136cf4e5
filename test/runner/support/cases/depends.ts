import type { Case } from '../sides.ts';

/** What tests depend on: there, not to be had, or in vain. */
export const DEPENDS_CASES: readonly Case[] = [
  {
    name: 'installed',
    control:
      'Tests: a\nDepends: coreutils (>= 1), dash | no-such-package, no-such-package [s390x], libc6 [linux-any]\n',
    tests: { a: 'echo a\n' },
  },
  { name: 'bar-at-the-end', control: 'Tests: a\nDepends: coreutils | , dpkg\n', tests: { a: 'echo a\n' } },
  {
    name: 'lists-with-and-without',
    control: 'Tests: a\nDepends: no-such-package [!s390x s390]\n\nTests: b\nDepends: no-such-package [s390x]\n',
    tests: { a: 'echo a\n', b: 'echo b\n' },
  },
  {
    name: 'not-installable',
    control:
      'Tests: a\nDepends: no-such-package\n\nTests: b\nDepends: no-such-package\nRestrictions: skip-not-installable\n\nTests: c\nDepends:\n',
    tests: { a: 'echo a\n', b: 'echo b\n', c: 'echo c\n' },
  },
  {
    name: 'code-14',
    control: 'Tests: a\nDepends: coreutils (>= 999)\n\nTests: b\nDepends:\nRestrictions: odd\n',
    tests: { a: 'echo a\n', b: 'echo b\n' },
  },
];
