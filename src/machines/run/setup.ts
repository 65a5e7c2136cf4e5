import { assign, emit, enqueueActions, setup } from 'xstate';
import { type Cause, exitCodeOf, type TrundleEvent } from '../../events/index.ts';
import { causeOf, type Output, unexpected } from '../output.ts';
import {
  exitCodeOfOutcomes,
  exitCodeOfPackages,
  judge,
  type Outcome,
  type PlannedTest,
  signalNumber,
} from './judge.ts';
import * as books from './ledger.ts';

/** RunEvent types that reach the run machine. */
export const RUN_ALPHABET = [
  'run.started',
  'testbed.assigned',
  'package.started',
  'package.rejected',
  'package.finished',
  'test.planned',
  'test.skipped',
  'test.started',
  'test.suspended',
  'test.resumed',
  'test.finished',
  'step.failed',
  'retry.requested',
  'testbed.failed',
  'testbed.removed',
  'operator.signalled',
  'run.finished',
] as const;

export type RunEvent = TrundleEvent<(typeof RUN_ALPHABET)[number]>;

export interface RunContext {
  testbed: null;
  subject: string;
  /** A list: a table would have to be written anew for each of many tests, and a list is only copied. */
  tests: readonly (PlannedTest & { readonly test: string; readonly package: string | null })[];
  outcomes: readonly { outcome: Outcome; superficial: boolean; package: string | null }[];
  ledger: books.Ledger;
  /** How many retries each package is granted. */
  retries: number;
  hasTests: boolean;
  /** Tests that have started and not finished. */
  open: readonly string[];
  /** Those of them that wait for a reboot. */
  suspended: readonly string[];
  signal: string | null;
}

export const runSetup = setup({
  types: {
    context: {} as RunContext,
    events: {} as RunEvent,
    emitted: {} as Output,
  },
  actions: {
    noteStart: assign({
      hasTests: ({ event }) => event.type === 'run.started' && event.tests,
      retries: ({ event }) => (event.type === 'run.started' ? (event.retries ?? 0) : 0),
    }),
    notePackage: assign({
      ledger: ({ context, event }) =>
        event.type === 'package.started' ? books.addPackage(context.ledger, event.package) : context.ledger,
    }),
    noteLoan: assign({
      ledger: ({ context: { ledger }, event }) =>
        event.type === 'testbed.assigned' ? books.lend(ledger, event.testbed ?? '', event.package) : ledger,
    }),
    concludePackage: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'package.finished') return;
      const account = books.accountOf(context.ledger, event.package);
      if (account.package !== event.package) return;
      const exitCode = exitCodeOfPackage(context, account);
      enqueue.assign({ ledger: books.conclude(context.ledger, event.package, exitCode) });
      enqueue.emit({
        type: 'package.concluded',
        testbed: null,
        from: 'machine',
        package: event.package,
        exitCode,
        cause: context.ledger.accounts[0]?.cause ?? account.cause ?? account.testCause,
      });
    }),
    plan: assign({
      tests: ({ context, event }) =>
        event.type === 'test.planned'
          ? [...context.tests, { test: event.test, package: event.package ?? null, ...planFrom(event) }]
          : context.tests,
    }),
    open: assign({
      open: ({ context, event }) => (event.type === 'test.started' ? [...context.open, event.test] : context.open),
    }),
    suspend: assign({
      suspended: ({ context, event }) =>
        event.type === 'test.suspended' ? [...context.suspended, event.test] : context.suspended,
    }),
    resume: assign({
      suspended: ({ context, event }) =>
        event.type === 'test.resumed' ? context.suspended.filter((test) => test !== event.test) : context.suspended,
    }),
    shut: assign({
      suspended: ({ context, event }) =>
        event.type === 'test.finished' ? context.suspended.filter((test) => test !== event.test) : context.suspended,
      open: ({ context, event }) =>
        event.type === 'test.finished' ? context.open.filter((test) => test !== event.test) : context.open,
    }),
    judge: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'test.finished') return;
      const plan = planOf(context, event.test);
      if (event.cause !== null) {
        const { testbed, cause } = event;
        enqueue.assign({ ledger: books.charge(context.ledger, { package: plan.package, testbed, cause }) });
        return;
      }
      const verdict = judge(plan, event);
      if (verdict === null) return;
      enqueue.assign({
        outcomes: [
          ...context.outcomes,
          { outcome: verdict.outcome, superficial: plan.superficial, package: plan.package },
        ],
        ledger: books.chargeTest(context.ledger, plan.package, verdict.cause),
      });
      enqueue.emit({
        type: 'test.judged',
        testbed: null,
        from: 'machine',
        test: event.test,
        outcome: verdict.outcome,
        reason: verdict.reason,
      });
    }),
    judgeSkipped: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'test.skipped') return;
      const { superficial, package: of } = planOf(context, event.test);
      enqueue.assign({ outcomes: [...context.outcomes, { outcome: event.outcome, superficial, package: of }] });
      enqueue.emit({
        type: 'test.judged',
        testbed: null,
        from: 'machine',
        test: event.test,
        outcome: event.outcome,
        reason: event.reason,
      });
    }),
    noteRejection: assign({
      ledger: ({ context, event }) => {
        if (event.type !== 'package.rejected') return context.ledger;
        const cause = causeOf('bad-package', 'plan', 'reading the package', [event.seq], event.message);
        return books.charge(context.ledger, { package: event.package ?? null, testbed: null, cause });
      },
    }),
    noteCause: assign({
      ledger: ({ context: { ledger }, event }) => {
        if (!('cause' in event) || event.cause === null) return ledger;
        const named = event.type === 'step.failed' ? (event.package ?? null) : null;
        return books.charge(ledger, { package: named, testbed: event.testbed, cause: proven(event.cause, event) });
      },
    }),
    noteLeftovers: assign({
      ledger: ({ context: { ledger }, event }) =>
        event.type === 'testbed.removed' && event.leftovers.length > 0
          ? books.noteStuck(ledger, event.testbed ?? '')
          : ledger,
    }),
    answerRetry: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'retry.requested') return;
      const { retries: limit, ledger } = context;
      const testbed = event.testbed ?? '';
      const name = event.package ?? null;
      const of = event.package === undefined ? {} : { package: event.package };
      const failed = ledger.failed.find((each) => each.testbed === testbed);
      const obstacle = books.obstacleTo(ledger, testbed, name, limit);
      const common = { testbed: event.testbed, from: 'machine' as const, ...of };
      if (obstacle !== null || failed === undefined) {
        enqueue.emit({ type: 'retry.denied', ...common, reason: obstacle ?? '' });
        return;
      }
      const attempt = books.accountOf(ledger, name).retries + 1;
      enqueue.assign({ ledger: books.excuse(ledger, testbed, name) });
      enqueue.emit({ type: 'retry.granted', ...common, attempt, of: limit, cause: failed.cause });
    }),
    denyRetry: emit(({ event }) => ({
      type: 'retry.denied' as const,
      testbed: event.testbed,
      from: 'machine' as const,
      ...('package' in event && event.package !== undefined ? { package: event.package } : {}),
      reason: 'the run is not going on',
    })),
    noteSignal: assign({
      signal: ({ context, event }) => context.signal ?? (event.type === 'operator.signalled' ? event.signal : null),
      ledger: ({ context, event }) => {
        if (event.type !== 'operator.signalled') return context.ledger;
        // An older trace does not tell where the run was, and keeps the cause that it had.
        const { phase = 'exec', doing = 'running', signal } = event;
        const cause = causeOf('operator-interrupted', phase, doing, [event.seq], signal);
        return books.charge(context.ledger, { package: null, testbed: null, cause });
      },
    }),
    abort: emit(({ event }) => ({
      type: 'abort' as const,
      reason: event.type === 'operator.signalled' ? event.signal : event.type,
      force: false,
    })),
    force: emit(({ event }) => ({
      type: 'abort' as const,
      reason: event.type === 'operator.signalled' ? event.signal : event.type,
      force: true,
    })),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    announceConcluded: emit(({ context }) => ({
      type: 'run.concluded' as const,
      testbed: null,
      from: 'machine' as const,
      exitCode: exitCode(context),
      cause: causeOfRun(context),
    })),
  },
  guards: {
    isOpen: ({ context, event }) => 'test' in event && context.open.includes(event.test),
    isSuspended: ({ context, event }) => 'test' in event && context.suspended.includes(event.test),
    anySuspended: ({ context }) => context.suspended.length > 0,
    noneSuspended: ({ context }) => context.suspended.length === 0,
    anyOpen: ({ context }) => context.open.length > 0,
    noneOpen: ({ context }) => context.open.length === 0,
  },
});

function planFrom({ restrictions, superficial, internetUncertain }: TrundleEvent<'test.planned'>): PlannedTest {
  return { restrictions, superficial, ...(internetUncertain ? { internetUncertain } : {}) };
}

/** What is known of a test; the later plan counts where there are two. Pure. */
function planOf({ tests }: RunContext, test: string): PlannedTest & { readonly package: string | null } {
  return tests.findLast((planned) => planned.test === test) ?? { restrictions: [], superficial: false, package: null };
}

/** What failed on our own side has no proof but the event that says so. Pure. */
function proven(cause: Cause, event: RunEvent): Cause {
  return cause.evidence.length === 0 ? { ...cause, evidence: [event.seq] } : cause;
}

/** What failed of the run itself kept its packages from their ends. Pure. */
function exitCodeOfPackage(context: RunContext, account: books.Account): number {
  const { hasTests, outcomes, ledger, signal } = context;
  if (signal !== null) return 128 + signalNumber(signal);
  const cause = ledger.accounts[0]?.cause ?? account.cause;
  if (cause !== null) return exitCodeOf(cause.class);
  return hasTests ? exitCodeOfOutcomes(outcomes.filter((each) => each.package === account.package)) : 0;
}

function exitCode(context: RunContext): number {
  const [run, ...packages] = context.ledger.accounts;
  if (context.signal !== null) return 128 + signalNumber(context.signal);
  if (run?.cause) return exitCodeOf(run.cause.class);
  if (packages.length > 0)
    return exitCodeOfPackages(packages.map((each) => each.exitCode ?? exitCodeOfPackage(context, each)));
  return context.hasTests ? exitCodeOfOutcomes(context.outcomes) : 0;
}

/** The run's own cause; without one, that of the first package that is worst off. Pure. */
function causeOfRun({ ledger }: RunContext): Cause | null {
  const [run, ...packages] = ledger.accounts;
  if (run?.cause) return run.cause;
  const causes = packages.flatMap(({ cause }) => (cause === null ? [] : [cause]));
  for (const code of [20, 16, 12]) {
    const worst = causes.find((cause) => exitCodeOf(cause.class) === code);
    if (worst !== undefined) return worst;
  }
  return ledger.accounts.find(({ testCause }) => testCause !== null)?.testCause ?? null;
}
