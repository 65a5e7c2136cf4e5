import { assign, emit, enqueueActions, setup } from 'xstate';
import { type Cause, exitCodeOf, type TrundleEvent } from '../events/index.ts';
import { exitCodeOfOutcomes, judge, type Outcome, type PlannedTest, signalNumber } from './judge.ts';
import { causeOf, type Output, unexpected } from './output.ts';

/** Event types that reach the run machine. */
export const RUN_ALPHABET = [
  'run.started',
  'package.rejected',
  'test.planned',
  'test.skipped',
  'test.started',
  'test.finished',
  'step.failed',
  'testbed.failed',
  'testbed.removed',
  'operator.signalled',
  'run.finished',
] as const;

type Event = TrundleEvent<(typeof RUN_ALPHABET)[number]>;

export interface Context {
  testbed: null;
  subject: string;
  tests: Readonly<Record<string, PlannedTest>>;
  outcomes: readonly { outcome: Outcome; superficial: boolean }[];
  cause: Cause | null;
  /** The cause of the first failed test, where nothing worse happened. */
  testCause: Cause | null;
  hasTests: boolean;
  /** Tests that have started and not finished. */
  open: readonly string[];
  signal: string | null;
}

const machineSetup = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    emitted: {} as Output,
  },
  actions: {
    noteStart: assign({ hasTests: ({ event }) => event.type === 'run.started' && event.tests }),
    plan: assign({
      tests: ({ context, event }) =>
        event.type === 'test.planned'
          ? { ...context.tests, [event.test]: { restrictions: event.restrictions, superficial: event.superficial } }
          : context.tests,
    }),
    open: assign({
      open: ({ context, event }) => (event.type === 'test.started' ? [...context.open, event.test] : context.open),
    }),
    shut: assign({
      open: ({ context, event }) =>
        event.type === 'test.finished' ? context.open.filter((test) => test !== event.test) : context.open,
    }),
    judge: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'test.finished') return;
      if (event.cause !== null) {
        enqueue.assign({ cause: context.cause ?? event.cause });
        return;
      }
      const plan = context.tests[event.test] ?? { restrictions: [], superficial: false };
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
      const superficial = context.tests[event.test]?.superficial ?? false;
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
        causeOf('bad-package', 'plan', 'reading the package', [event.seq], event.type === 'package.rejected' ? event.message : ''),
    }),
    noteCause: assign({
      cause: ({ context, event }) => ('cause' in event && event.cause !== null ? worse(context.cause, event.cause) : context.cause),
    }),
    noteSignal: assign({
      signal: ({ context, event }) => context.signal ?? (event.type === 'operator.signalled' ? event.signal : null),
      cause: ({ context, event }) =>
        context.cause ??
        causeOf('operator-interrupted', 'exec', 'running', [event.seq], event.type === 'operator.signalled' ? event.signal : ''),
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
    isOpen: ({ context, event }) => event.type === 'test.finished' && context.open.includes(event.test),
    anyOpen: ({ context }) => context.open.length > 0,
    noneOpen: ({ context }) => context.open.length === 0,
  },
});

/** The first cause stands; what the removal of a testbed knows better about the same failure replaces it. Pure. */
function worse(first: Cause | null, later: Cause): Cause {
  if (first === null) return later;
  return later.class === 'testbed-died' && first.class.startsWith('connection-') ? later : first;
}

function exitCode(context: Context): number {
  if (context.signal !== null) return 128 + signalNumber(context.signal);
  if (context.cause !== null) return exitCodeOf(context.cause.class);
  return context.hasTests ? exitCodeOfOutcomes(context.outcomes) : 0;
}

/** Events out of order: recorded, and without effect on the verdict. */
function shrug<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = { actions: { type: 'recordUnexpected' as const, params: { state } } } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

/**
 * A run from its start to its verdict: judges tests, keeps the one cause of a failure, turns the operator's first
 * signal into an orderly end and the second into an immediate one, and computes the exit code.
 */
export const runMachine = machineSetup.createMachine({
  id: 'run',
  context: {
    testbed: null,
    subject: 'run:run',
    tests: {},
    outcomes: [],
    cause: null,
    testCause: null,
    hasTests: false,
    open: [],
    signal: null,
  },
  initial: 'idle',
  on: {
    'testbed.failed': { actions: 'noteCause' },
    'testbed.removed': { actions: 'noteCause' },
    'step.failed': { actions: 'noteCause' },
    'package.rejected': { actions: 'noteRejection' },
    'test.planned': { actions: 'plan' },
    'test.skipped': { actions: 'judgeSkipped' },
    'run.finished': '.concluded',
  },
  states: {
    idle: {
      on: {
        'run.started': { target: 'running', actions: 'noteStart' },
        'operator.signalled': { target: 'interrupted', actions: ['noteSignal', 'abort'] },
        ...shrug('idle', 'test.started', 'test.finished'),
      },
    },
    running: {
      initial: 'between-tests',
      on: {
        'operator.signalled': { target: 'interrupted', actions: ['noteSignal', 'abort'] },
        'test.started': { actions: 'open' },
        'test.finished': [
          { guard: 'isOpen', actions: ['judge', 'shut'] },
          { actions: { type: 'recordUnexpected', params: { state: 'running' } } },
        ],
        ...shrug('running', 'run.started'),
      },
      states: {
        'between-tests': { always: { guard: 'anyOpen', target: 'testing' } },
        testing: { always: { guard: 'noneOpen', target: 'between-tests' } },
      },
    },
    interrupted: {
      on: {
        'operator.signalled': { target: 'forced', actions: 'force' },
        'test.finished': { actions: 'shut' },
        ...shrug('interrupted', 'run.started', 'test.started'),
      },
    },
    forced: {
      on: {
        'operator.signalled': { actions: 'force' },
        'test.finished': { actions: 'shut' },
        ...shrug('forced', 'run.started', 'test.started'),
      },
    },
    concluded: { type: 'final', entry: 'announceConcluded' },
  },
});
