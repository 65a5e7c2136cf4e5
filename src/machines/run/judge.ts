import type { Cause, TrundleEvent } from '../../events/index.ts';
import { causeOf } from '../output.ts';

/** How a test ended, in the words of autopkgtest's summary. */
export type Outcome = TrundleEvent<'test.judged'>['outcome'];

/** What a run knows of a test before it has run. */
export interface PlannedTest {
  readonly restrictions: readonly string[];
  readonly superficial: boolean;
  readonly internetUncertain?: boolean | undefined;
}

/** A test's outcome with the reason as it stands in the summary, and the cause where it failed. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly cause: Cause | null;
}

/** Numbers of the signals that end a process, as in a shell's 128+n (signal(7), x86 and arm). */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  IO: 29,
  SYS: 31,
};

/** The number of a signal by its name, with or without SIG; 0 for a name that nobody knows. Pure. */
export function signalNumber(name: string): number {
  return SIGNAL_NUMBERS[name.replace(/^SIG/, '')] ?? 0;
}

/**
 * Judges a finished test by DEP-8's rules: exit status 0 and nothing on stderr pass, unless restrictions say
 * otherwise. Null where the test came to no end of its own and says nothing about the package. Pure.
 */
export function judge(plan: PlannedTest, event: TrundleEvent<'test.finished'>): Verdict | null {
  const failure = failureOf(plan, event);
  if (failure === null) return null;
  if (failure === 'passed') return { outcome: 'pass', reason: plan.superficial ? 'superficial' : '', cause: null };
  if (failure === 'skipped') {
    return { outcome: 'skip', reason: 'exit status 77 and marked as skippable', cause: null };
  }
  if (plan.internetUncertain && plan.restrictions.includes('needs-internet') && endedBadly(event)) {
    return {
      outcome: 'skip',
      reason: "Failed, but test has needs-internet and that's not guaranteed",
      cause: null,
    };
  }
  if (plan.restrictions.includes('flaky')) return { outcome: 'flaky', reason: failure.reason, cause: null };
  return { outcome: 'fail', ...failure };
}

/** Whether it failed by how it ended, not by what it printed or by taking too long. */
function endedBadly({ result }: TrundleEvent<'test.finished'>): boolean {
  return result.kind === 'signalled' || (result.kind === 'exited' && result.status !== 0);
}

function failureOf(
  plan: PlannedTest,
  event: TrundleEvent<'test.finished'>,
): { reason: string; cause: Cause } | 'passed' | 'skipped' | null {
  const { result } = event;
  const doing = `running test ${event.test}`;
  switch (result.kind) {
    case 'exited':
      if (result.status === 77 && plan.restrictions.includes('skippable')) return 'skipped';
      if (result.status !== 0) {
        const reason = `non-zero exit status ${result.status}`;
        return { reason, cause: causeOf('test-failed', 'exec', doing, [event.seq], reason) };
      }
      if (event.stderrBytes > 0 && !plan.restrictions.includes('allow-stderr')) {
        const reason = `stderr: ${event.stderrLine}`;
        return { reason, cause: causeOf('test-wrote-stderr', 'exec', doing, [event.seq], reason) };
      }
      return 'passed';
    case 'signalled': {
      // The shell around a test tells a signal as 128+n, and so do the summaries that people's tools read.
      const reason = `non-zero exit status ${128 + signalNumber(result.signal)}`;
      const detail = `killed by signal ${result.signal}`;
      return { reason, cause: causeOf('test-signalled', 'exec', doing, [event.seq], detail) };
    }
    case 'timed-out':
      return {
        reason: 'timed out',
        cause: causeOf('test-timed-out', 'exec', doing, [event.seq], `not done within ${result.after} ms`),
      };
    default:
      return null;
  }
}

/**
 * The exit code of a run by those of its packages: 20 or 16 where one has it, else all of them or-ed together. A package
 * of which no test said anything (8) counts as one with a skipped test, unless that is all there is. Pure.
 */
export function exitCodeOfPackages(codes: readonly number[]): number {
  for (const worst of [20, 16]) if (codes.includes(worst)) return worst;
  if (codes.length > 0 && codes.every((code) => code === 8)) return 8;
  return codes.reduce((all, code) => all | (code === 8 ? 2 : code), 0);
}

/**
 * autopkgtest's exit code for the outcomes of all tests (autopkgtest(1), EXIT STATUS): 4 a test failed, 2 one was
 * skipped or flaky, 12 a package could not be used, or-ed together; 8 where no test passed that says something
 * about the package and none failed. Pure.
 */
export function exitCodeOfOutcomes(tests: readonly { outcome: Outcome; superficial: boolean }[]): number {
  let code = 0;
  for (const { outcome } of tests) {
    if (outcome === 'fail') code |= 4;
    else if (outcome === 'badpkg') code |= 12;
    else if (outcome !== 'pass') code |= 2;
  }
  const positive = tests.some((test) => test.outcome === 'pass' && !test.superficial);
  return (code === 0 || code === 2) && !positive ? 8 : code;
}
