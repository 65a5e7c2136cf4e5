import { assign, emit, enqueueActions, setup } from 'xstate';
import { type Cause, exitCodeOf, type TrundleEvent } from '../../events/index.ts';
import { causeOf, type Output, unexpected } from '../output.ts';
import { exitCodeOfOutcomes, judge, type Outcome, type PlannedTest, signalNumber } from './judge.ts';

/** RunEvent types that reach the run machine. */
export const RUN_ALPHABET = [
  'run.started',
  'package.rejected',
  'test.planned',
  'test.skipped',
  'test.started',
  'test.suspended',
  'test.resumed',
  'test.finished',
  'step.failed',
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
  tests: readonly (PlannedTest & { readonly test: string })[];
  outcomes: readonly { outcome: Outcome; superficial: boolean }[];
  cause: Cause | null;
  /** The cause of the first failed test, where nothing worse happened. */
  testCause: Cause | null;
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
    noteStart: assign({ hasTests: ({ event }) => event.type === 'run.started' && event.tests }),
    plan: assign({
      tests: ({ context, event }) =>
        event.type === 'test.planned' ? [...context.tests, { test: event.test, ...planFrom(event) }] : context.tests,
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
      if (event.cause !== null) {
        enqueue.assign({ cause: context.cause ?? event.cause });
        return;
      }
      const plan = planOf(context, event.test);
      const verdict = judge(plan, event);
      if (verdict === null) return;
      enqueue.assign({
        outcomes: [...context.outcomes, { outcome: verdict.outcome, superficial: plan.superficial }],
        testCause: context.testCause ?? verdict.cause,
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
      const superficial = planOf(context, event.test).superficial;
      enqueue.assign({ outcomes: [...context.outcomes, { outcome: event.outcome, superficial }] });
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
      cause: ({ context, event }) =>
        context.cause ??
        causeOf(
          'bad-package',
          'plan',
          'reading the package',
          [event.seq],
          event.type === 'package.rejected' ? event.message : '',
        ),
    }),
    noteCause: assign({
      cause: ({ context, event }) =>
        'cause' in event && event.cause !== null ? worse(context.cause, proven(event.cause, event)) : context.cause,
    }),
    noteSignal: assign({
      signal: ({ context, event }) => context.signal ?? (event.type === 'operator.signalled' ? event.signal : null),
      cause: ({ context, event }) =>
        context.cause ??
        causeOf(
          'operator-interrupted',
          'exec',
          'running',
          [event.seq],
          event.type === 'operator.signalled' ? event.signal : '',
        ),
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
      cause: context.cause ?? context.testCause,
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
function planOf({ tests }: RunContext, test: string): PlannedTest {
  return tests.findLast((planned) => planned.test === test) ?? { restrictions: [], superficial: false };
}

/** The first cause stands; what the removal of a testbed knows better about the same failure replaces it. Pure. */
function worse(first: Cause | null, later: Cause): Cause {
  if (first === null) return later;
  return later.class === 'testbed-died' && first.class.startsWith('connection-') ? later : first;
}

/** What failed on our own side has no proof but the event that says so. Pure. */
function proven(cause: Cause, event: RunEvent): Cause {
  return cause.evidence.length === 0 ? { ...cause, evidence: [event.seq] } : cause;
}

function exitCode(context: RunContext): number {
  if (context.signal !== null) return 128 + signalNumber(context.signal);
  if (context.cause !== null) return exitCodeOf(context.cause.class);
  return context.hasTests ? exitCodeOfOutcomes(context.outcomes) : 0;
}
