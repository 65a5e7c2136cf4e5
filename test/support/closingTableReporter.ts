import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

interface Unstarted {
  readonly suite: string;
  readonly file: string;
  readonly reason: string;
  /** Whether it is what the machine lacks of its needs. In CI describeWith skips for none but an accepted one. */
  readonly byNeed: boolean;
  tests: number;
}

/** Why a test was skipped: its own note, or what the nearest suite around it says is missing. */
function reasonOf(test: TestCase): Pick<Unstarted, 'suite' | 'reason' | 'byNeed'> {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined)
    return { suite: test.name, reason: result.note, byNeed: false };
  for (let at: TestSuite | TestModule = test.parent; at.type === 'suite'; at = at.parent) {
    const missing = at.meta().missing;
    if (missing !== undefined && missing.length > 0)
      return { suite: at.fullName, reason: missing.join('; '), byNeed: true };
  }
  return { suite: test.fullName, reason: 'no reason given', byNeed: false };
}

function table(rows: readonly Unstarted[]): string[] {
  const cells = rows.map((row) => [`${row.file}: ${row.suite}`, String(row.tests), row.reason] as const);
  const head = ['could not start here', 'tests', 'because'] as const;
  const widths = [0, 1].map((column) => Math.max(...[head, ...cells].map((line) => line[column as 0 | 1].length)));
  const line = (cell: readonly [string, string, string]) =>
    `  ${cell[0].padEnd(widths[0] ?? 0)}  ${cell[1].padStart(widths[1] ?? 0)}  ${cell[2]}`;
  return [line(head), ...cells.map(line)];
}

/**
 * Ends a test run with a table of what the machine could not start, each with the reason, the tests that passed only
 * at the second try, each with what went wrong at the first, and the line
 * `N passed, N failed, N skipped`. In CI a test that is skipped for anything but an accepted need fails the run.
 */
export default class ClosingTableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    const unstarted = new Map<string, Unstarted>();
    const unsteady: string[] = [];
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        // A test that never reported was cut off: that is no pass.
        if (state === 'pending') counts.failed += 1;
        else counts[state] += 1;
        if (state === 'passed' && test.diagnostic()?.flaky === true) {
          const why = test.result().errors?.[0]?.message.split('\n')[0] ?? 'no reason given';
          unsteady.push(`  ${module.relativeModuleId}: ${test.fullName}: ${why}`);
        }
        if (state !== 'skipped') continue;
        const { suite, reason, byNeed } = reasonOf(test);
        const key = JSON.stringify([module.moduleId, suite, reason]);
        const row = unstarted.get(key) ?? { suite, reason, byNeed, file: module.relativeModuleId, tests: 0 };
        row.tests += 1;
        unstarted.set(key, row);
      }
    }
    const rows = [...unstarted.values()];
    if (rows.length > 0) console.log(['', ...table(rows)].join('\n'));
    if (unsteady.length > 0) console.log(['', '  passed only at the second try', ...unsteady].join('\n'));
    if (process.env.CI === 'true' && rows.some((row) => !row.byNeed)) {
      console.log(
        '\n  In CI tests are skipped only for what test/support/skips.ts accepts: use describeWith (needs.ts there).',
      );
      process.exitCode = 1;
    }
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
