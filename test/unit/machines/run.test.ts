import { describe, expect, test } from 'vitest';
import type { CauseClass, EventData, TrundleEvent } from '../../../src/events/index.ts';
import { cause } from '../../support/facts.ts';
import { specOf, type Told, told } from '../../support/machineSpec.ts';

const given = specOf('run', {});
const STARTED = ['run.started'] as const;

function planned(...restrictions: string[]): TrundleEvent {
  return told('test.planned', { restrictions });
}

/** A test that was planned, started and finished so. */
function tested(finished: Partial<EventData<'test.finished'>>, ...restrictions: string[]) {
  return [...STARTED, planned(...restrictions), told('test.started', {}), told('test.finished', finished)] as const;
}

function failedBy(causeClass: CauseClass): TrundleEvent {
  return told('testbed.failed', { cause: cause(causeClass) });
}

const status = (code: number) => ({ result: { kind: 'exited' as const, status: code } });
const SKIPPED = told('test.skipped', { test: 't2' });
const PASSED = tested(status(0));
const NOT_REMOVED = told('testbed.removed', { cause: cause('teardown-failed') });
const FAILED = tested(status(1));
const SUPERFICIAL = [...STARTED, told('test.planned', { superficial: true }), 'test.started', 'test.finished'] as const;

describe('the verdict on a test', () => {
  const judged = (finished: Partial<EventData<'test.finished'>>, ...restrictions: string[]) => {
    const past = tested(finished, ...restrictions);
    const { outcome, reason } = given(...past.slice(0, -1))
      .when(past[3])
      .fact('test.judged');
    return `${outcome} ${reason}`.trim();
  };

  test('is pass where it exits with 0 and writes nothing to stderr', () => {
    expect(judged(status(0))).toBe('pass');
  });

  test('is fail where it exits with anything else', () => {
    expect(judged(status(3))).toBe('fail non-zero exit status 3');
  });

  test('is fail where it writes to stderr, unless it may', () => {
    const stderr = { ...status(0), stderrBytes: 5, stderrLine: 'oops' };
    expect(judged(stderr)).toBe('fail stderr: oops');
    expect(judged(stderr, 'allow-stderr')).toBe('pass');
  });

  test('is skip where it exits with 77, if it may', () => {
    expect(judged(status(77), 'skippable')).toBe('skip exit status 77 and marked as skippable');
    expect(judged(status(77))).toBe('fail non-zero exit status 77');
  });

  test('is flaky where it fails and is known to', () => {
    expect(judged(status(1), 'flaky')).toBe('flaky non-zero exit status 1');
  });

  test('tells a signal as a shell does', () => {
    expect(judged({ result: { kind: 'signalled', signal: 'SEGV' } })).toBe('fail non-zero exit status 139');
  });

  test('is fail where its time was up', () => {
    expect(judged({ result: { kind: 'timed-out', after: 10 } })).toBe('fail timed out');
  });

  test('is skip where it needs the internet, fails, and nobody knows whether there is one', () => {
    const uncertain = (finished: Partial<EventData<'test.finished'>>, ...restrictions: string[]) => {
      const plan = told('test.planned', { restrictions, internetUncertain: true });
      const { outcome, reason } = given(...STARTED, plan, 'test.started')
        .when(told('test.finished', finished))
        .fact('test.judged');
      return `${outcome} ${reason}`.trim();
    };
    const skipped = "skip Failed, but test has needs-internet and that's not guaranteed";
    expect(uncertain(status(1), 'needs-internet', 'flaky')).toBe(skipped);
    expect(uncertain({ result: { kind: 'signalled', signal: 'TERM' } }, 'needs-internet')).toBe(skipped);
    expect(uncertain(status(1))).toBe('fail non-zero exit status 1');
    expect(uncertain({ result: { kind: 'timed-out', after: 10 } }, 'needs-internet')).toBe('fail timed out');
    expect(uncertain({ ...status(0), stderrBytes: 1, stderrLine: 'x' }, 'needs-internet')).toBe('fail stderr: x');
  });

  test('is none where the testbed is to blame', () => {
    const lost = told('test.finished', { result: { kind: 'lost', how: 'reset' }, cause: cause('connection-reset') });
    expect(given(...STARTED, planned(), 'test.started').when(lost).facts).toEqual([]);
  });
});

describe('a test that wants a reboot', () => {
  const running = [...STARTED, planned(), told('test.started', {})] as const;

  test('is waited for, and judged by its end after the reboot', () => {
    expect(given(...running).when(told('test.suspended', {})).state).toBe('running.awaiting-reboot');
    const resumed = given(...running, told('test.suspended', {})).when(told('test.resumed', {}));
    expect(resumed.state).toBe('running.testing');
    const { outcome } = given(...running, told('test.suspended', {}), told('test.resumed', {}))
      .when(told('test.finished', status(0)))
      .fact('test.judged');
    expect(outcome).toBe('pass');
  });

  test('is no longer waited for where it is over', () => {
    const lost = { result: { kind: 'lost', how: 'reset' }, cause: cause('connection-reset') } as const;
    expect(given(...running, told('test.suspended', {})).when(told('test.finished', lost)).state).toBe(
      'running.between-tests',
    );
  });

  test('must have been started, and cannot go on unasked', () => {
    expect(
      given(...STARTED)
        .when(told('test.suspended', {}))
        .fact('event.unexpected').eventType,
    ).toBe('test.suspended');
    expect(
      given(...running)
        .when(told('test.resumed', {}))
        .fact('event.unexpected').eventType,
    ).toBe('test.resumed');
  });
});

describe('the exit code of a run is', () => {
  test.each([
    [0, 'all tests passed', PASSED],
    [2, 'one was skipped', [...PASSED, SKIPPED]],
    [2, 'a flaky one failed', [...PASSED, ...tested(status(1), 'flaky').slice(1)]],
    [4, 'one failed', FAILED],
    [4, 'one timed out', tested({ result: { kind: 'timed-out', after: 1 } })],
    [6, 'one failed and one was skipped', [...FAILED, SKIPPED]],
    [8, 'there was none', STARTED],
    [8, 'all were skipped', [...STARTED, SKIPPED]],
    [8, 'all that passed are superficial', SUPERFICIAL],
    [12, 'the package cannot be read', [...STARTED, 'package.rejected']],
    [12, "a test's packages cannot be had", [...PASSED, told('test.skipped', { test: 't2', outcome: 'badpkg' })]],
    [16, 'the testbed failed', [...PASSED, failedBy('testbed-died')]],
    [16, 'the testbed failed after a test did', [...FAILED, failedBy('connection-silent')]],
    [20, 'something of ours failed', [...STARTED, failedBy('internal-error')]],
    [20, 'the testbed could not be removed', [...PASSED, NOT_REMOVED]],
    [20, 'it could not be removed after a test had failed', [...FAILED, NOT_REMOVED]],
    [16, 'it could not be removed after it had failed itself', [...PASSED, failedBy('testbed-died'), NOT_REMOVED]],
    [130, 'the operator pressed Ctrl-C', [...PASSED, 'operator.signalled']],
    [143, 'somebody sent SIGTERM', [...STARTED, told('operator.signalled', { signal: 'SIGTERM' })]],
    [0, 'a session without tests went well', [told('run.started', { tests: false })]],
  ] as const)('%i where %s', (code, _, past) => {
    expect(
      given(...past)
        .when('run.finished')
        .fact('run.concluded').exitCode,
    ).toBe(code);
  });
});

describe('the cause of a run', () => {
  const concluded = (...past: readonly Told[]) =>
    given(...past)
      .when('run.finished')
      .fact('run.concluded').cause;

  test('is the first that failed', () => {
    expect(concluded(...STARTED, failedBy('auth-refused'), failedBy('boot-failed'))?.class).toBe('auth-refused');
  });

  test('is the death of the testbed rather than the connection that broke by it', () => {
    expect(concluded(...STARTED, failedBy('connection-reset'), failedBy('testbed-died'))?.class).toBe('testbed-died');
  });

  test('is the failed test where nothing worse happened', () => {
    expect(concluded(...FAILED)).toMatchObject({ class: 'test-failed', evidence: [4] });
  });

  test('is none where all went well', () => {
    expect(concluded(...PASSED)).toBeNull();
  });
});

describe('a signal of the operator', () => {
  test('ends the run in order, and a second one at once', () => {
    expect(given(...STARTED).when('operator.signalled')).toMatchObject({ state: 'interrupted', commands: ['abort'] });
    expect(given(...STARTED, 'operator.signalled').when('operator.signalled')).toMatchObject({
      state: 'forced',
      commands: ['abort'],
    });
  });

  test('takes the verdict from the test that was running', () => {
    const past = [...STARTED, planned(), 'test.started', 'operator.signalled'] as const;
    expect(given(...past).when(told('test.finished', status(1))).facts).toEqual([]);
  });
});

test('a test that ends without having started is told of, and not judged', () => {
  expect(given(...STARTED).when('test.finished').facts).toEqual(['event.unexpected']);
});
