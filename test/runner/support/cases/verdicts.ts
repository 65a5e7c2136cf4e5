import type { Case } from '../sides.ts';

const LONG = 'x'.repeat(60_000);

/** How a test's end is judged, and how the run's is. */
export const VERDICTS_CASES: readonly Case[] = [
  { name: 'code-0', control: 'Tests: a, b\nDepends:\n', tests: { a: 'echo out\n', b: '#!/bin/sh\ntrue\n' } },
  {
    name: 'code-2-by-a-skip',
    control: 'Tests: able\nDepends:\nRestrictions: skippable\n\nTests: ok\nDepends:\n',
    tests: { able: 'exit 77\n', ok: ':\n' },
  },
  {
    name: 'code-2-by-a-flaky-test',
    control: 'Tests: shaky\nDepends:\nRestrictions: flaky\n\nTests: ok\nDepends:\n',
    tests: { shaky: 'exit 1\n', ok: ':\n' },
  },
  { name: 'code-4', control: 'Tests: a, b\nDepends:\n', tests: { a: 'exit 3\n', b: ':\n' } },
  {
    name: 'code-6',
    control: 'Tests: a\nDepends:\n\nTests: b\nDepends:\nRestrictions: odd\n\nTests: c\nDepends:\n',
    tests: { a: 'exit 1\n', c: ':\n' },
  },
  { name: 'code-8-all-superficial', control: 'Tests: a\nDepends:\nRestrictions: superficial\n', tests: { a: ':\n' } },
  { name: 'code-8-all-skipped', control: 'Tests: a\nDepends:\nRestrictions: skippable\n', tests: { a: 'exit 77\n' } },
  { name: 'code-8-all-flaky', control: 'Tests: a\nDepends:\nRestrictions: flaky\n', tests: { a: 'exit 1\n' } },
  {
    name: 'superficial-fails',
    control: 'Tests: a\nDepends:\nRestrictions: superficial\n\nTests: b\nDepends:\n',
    tests: { a: 'exit 1\n', b: ':\n' },
  },
  {
    name: 'superficial-and-a-skip',
    control: 'Tests: a\nDepends:\nRestrictions: superficial\n\nTests: b\nDepends:\nRestrictions: odd\n',
    tests: { a: ':\n' },
  },
  {
    name: 'statuses',
    control: [0, 1, 2, 77, 126, 127, 128, 200, 253]
      .map((status) => `Test-Command: exit ${status}\nDepends:\n`)
      .join('\n'),
  },
  {
    name: 'signals',
    control: ['KILL', 'SEGV', 'TERM', 'HUP', 'PIPE']
      .map((name) => `Test-Command: kill -${name} $$\nDepends:\n`)
      .join('\n'),
  },
  {
    name: 'stderr',
    control: 'Tests: plain, trimmed, empty, unfinished, both\nDepends:\n',
    tests: {
      plain: 'echo err >&2; echo more >&2\n',
      trimmed: `printf '  err \\t \\r\\n' >&2\n`,
      empty: 'echo >&2; echo second >&2\n',
      unfinished: 'printf err >&2\n',
      both: 'echo err >&2; exit 1\n',
    },
  },
  {
    name: 'stderr-is-odd',
    control: 'Tests: unicode, latin, long, nul\nDepends:\n',
    tests: {
      unicode: 'echo "größer als ∞ 🙂" >&2\n',
      latin: `printf 'gr\\366\\337er\\n' >&2\n`,
      long: `echo ${LONG} >&2\n`,
      nul: `printf 'a\\000b\\n' >&2\n`,
    },
  },
  {
    name: 'stderr-allowed',
    control: 'Tests: a\nDepends:\nRestrictions: allow-stderr\n\nTests: b\nDepends:\nRestrictions: allow-stderr flaky\n',
    tests: { a: 'echo err >&2\n', b: 'echo err >&2; exit 5\n' },
  },
  {
    name: 'stderr-flaky-and-skippable',
    control: 'Tests: a\nDepends:\nRestrictions: flaky\n\nTests: b\nDepends:\nRestrictions: skippable\n',
    tests: { a: 'echo err >&2\n', b: 'echo why >&2; exit 77\n' },
  },
  {
    name: 'stdout-is-odd',
    control: 'Tests: long\nDepends:\n\nTests: silent\nDepends:\n',
    tests: { long: `echo ${LONG}; printf 'a\\tb ünï\\n\\n'\n`, silent: ':\n' },
  },
  {
    name: 'cannot-start',
    control: 'Tests: a, b\nDepends:\n',
    tests: { a: '#!/no/such/interpreter\n', b: '#!/etc/passwd\n' },
  },
  { name: 'too-slow', control: 'Tests: a, b\nDepends:\n', tests: { a: 'sleep 600\n', b: ':\n' }, timeout: 3 },
  {
    name: 'too-slow-and-flaky',
    control: 'Tests: a\nDepends:\nRestrictions: flaky\n',
    tests: { a: 'sleep 600\n' },
    timeout: 3,
  },
  {
    name: 'code-12-with-tests-that-ran',
    control: 'Tests: a\nDepends:\n\nTests: gone\nDepends:\n',
    tests: { a: 'exit 1\n' },
  },
];
