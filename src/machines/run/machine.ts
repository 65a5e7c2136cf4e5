import { each } from '../each.ts';
import { EMPTY } from './ledger.ts';
import { type RunEvent, runSetup } from './setup.ts';

/** Events out of order: recorded, and without effect on the verdict. */
function shrug<T extends RunEvent['type']>(state: string, ...types: T[]) {
  const transition = { actions: { type: 'recordUnexpected' as const, params: { state } } } as const;
  return each(types, transition);
}

/**
 * A run from its start to its verdict: judges tests, keeps the one cause of a failure, grants retries where a testbed
 * is proven to be to blame, turns the operator's first signal into an orderly end and the second into an immediate
 * one, and computes the exit code; where there are several packages, that of each.
 */
export const runMachine = () =>
  runSetup.createMachine({
    id: 'run',
    context: {
      testbed: null,
      subject: 'run:run',
      tests: [],
      outcomes: [],
      ledger: EMPTY,
      retries: 0,
      hasTests: false,
      open: [],
      suspended: [],
      signal: null,
    },
    initial: 'idle',
    on: {
      'testbed.failed': { actions: 'noteCause' },
      'testbed.removed': { actions: ['noteCause', 'noteLeftovers'] },
      'testbed.assigned': { actions: 'noteLoan' },
      'package.started': { actions: 'notePackage' },
      'package.finished': { actions: 'concludePackage' },
      'retry.requested': { actions: 'denyRetry' },
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
          ...shrug('idle', 'test.started', 'test.suspended', 'test.resumed', 'test.finished'),
        },
      },
      running: {
        initial: 'between-tests',
        on: {
          'operator.signalled': { target: 'interrupted', actions: ['noteSignal', 'abort'] },
          'retry.requested': { actions: 'answerRetry' },
          'test.started': { actions: 'open' },
          'test.suspended': [
            { guard: 'isOpen', actions: 'suspend' },
            { actions: { type: 'recordUnexpected', params: { state: 'running' } } },
          ],
          'test.resumed': [
            { guard: 'isSuspended', actions: 'resume' },
            { actions: { type: 'recordUnexpected', params: { state: 'running' } } },
          ],
          'test.finished': [
            { guard: 'isOpen', actions: ['judge', 'shut'] },
            { actions: { type: 'recordUnexpected', params: { state: 'running' } } },
          ],
          ...shrug('running', 'run.started'),
        },
        states: {
          'between-tests': { always: { guard: 'anyOpen', target: 'testing' } },
          testing: {
            always: [
              { guard: 'noneOpen', target: 'between-tests' },
              { guard: 'anySuspended', target: 'awaiting-reboot' },
            ],
          },
          'awaiting-reboot': { always: { guard: 'noneSuspended', target: 'testing' } },
        },
      },
      interrupted: {
        on: {
          'operator.signalled': { target: 'forced', actions: 'force' },
          'test.finished': { actions: 'shut' },
          ...shrug('interrupted', 'run.started', 'test.started', 'test.suspended', 'test.resumed'),
        },
      },
      forced: {
        on: {
          'operator.signalled': { actions: 'force' },
          'test.finished': { actions: 'shut' },
          ...shrug('forced', 'run.started', 'test.started', 'test.suspended', 'test.resumed'),
        },
      },
      concluded: { type: 'final', entry: 'announceConcluded' },
    },
  });
