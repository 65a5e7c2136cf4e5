import { describe, expect, test } from 'vitest';
import type { CauseClass, EventData, TrundleEvent } from '../../../src/events/index.ts';
import { exitCodeOfPackages } from '../../../src/machines/run/judge.ts';
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

  test('tells in which phase it came, where the trace does', () => {
    const booting = told('operator.signalled', { phase: 'boot', doing: 'starting the testbed' });
    const causeAfter = (signal: TrundleEvent | 'operator.signalled') =>
      given(...STARTED, signal)
        .when('run.finished')
        .fact('run.concluded').cause;
    expect(causeAfter(booting)).toMatchObject({ phase: 'boot', doing: 'starting the testbed' });
    expect(causeAfter('operator.signalled')).toMatchObject({ phase: 'exec', doing: 'running' });
  });

  test('takes the verdict from the test that was running', () => {
    const past = [...STARTED, planned(), 'test.started', 'operator.signalled'] as const;
    expect(given(...past).when(told('test.finished', status(1))).facts).toEqual([]);
  });
});

test('a test that ends without having started is told of, and not judged', () => {
  expect(given(...STARTED).when('test.finished').facts).toEqual(['event.unexpected']);
});

describe('a run of several packages', () => {
  const of = (name: string) => told('package.started', { package: name, source: `./${name}` });
  const done = (name: string) => told('package.finished', { package: name });
  const result = (name: string, code: number) => {
    const test = `${name}/t`;
    return [
      told('test.planned', { test, package: name }),
      told('test.started', { test }),
      told('test.finished', { test, ...status(code) }),
    ] as const;
  };
  const lent = (name: string) => told('testbed.assigned', { package: name });

  test('gives each the verdict that it would have alone', () => {
    const begun = [...STARTED, of('a'), of('b'), ...result('a', 1), ...result('b', 0)] as const;
    const a = given(...begun).when(done('a'));
    expect(a.fact('package.concluded')).toMatchObject({ package: 'a', exitCode: 4, cause: { class: 'test-failed' } });
    const b = given(...begun, done('a')).when(done('b'));
    expect(b.fact('package.concluded')).toMatchObject({ package: 'b', exitCode: 0, cause: null });
    const run = given(...begun, done('a'), done('b')).when('run.finished');
    expect(run.fact('run.concluded')).toMatchObject({ exitCode: 4, cause: { class: 'test-failed' } });
  });

  test('charges a testbed to the package that it serves', () => {
    const begun = [...STARTED, of('a'), of('b'), lent('a'), failedBy('testbed-died')] as const;
    expect(
      given(...begun)
        .when(done('a'))
        .fact('package.concluded').exitCode,
    ).toBe(16);
    const b = [...begun, ...result('b', 0)] as const;
    expect(
      given(...b)
        .when(done('b'))
        .fact('package.concluded').exitCode,
    ).toBe(0);
    expect(
      given(...b, done('a'), done('b'))
        .when('run.finished')
        .fact('run.concluded'),
    ).toMatchObject({ exitCode: 16, cause: { class: 'testbed-died' } });
  });

  test('charges the run with a testbed that fails when its package is done', () => {
    const past = [...STARTED, of('a'), lent('a'), ...result('a', 0), done('a'), NOT_REMOVED] as const;
    const { exitCode, cause: why } = given(...past)
      .when('run.finished')
      .fact('run.concluded');
    expect([exitCode, why?.class]).toEqual([20, 'teardown-failed']);
  });

  test('rejects one package and tests the next', () => {
    const rejected = told('package.rejected', { package: 'a', message: 'no' });
    const past = [...STARTED, of('a'), rejected, done('a'), of('b'), ...result('b', 0)] as const;
    const b = given(...past).when(done('b'));
    expect(b.fact('package.concluded')).toMatchObject({ exitCode: 0, cause: null });
    const run = given(...past, done('b')).when('run.finished');
    expect(run.fact('run.concluded')).toMatchObject({ exitCode: 12, cause: { class: 'bad-package' } });
  });

  test('ends all that are not done where the operator ends it', () => {
    const past = [...STARTED, of('a'), 'operator.signalled'] as const;
    expect(
      given(...past)
        .when(done('a'))
        .fact('package.concluded'),
    ).toMatchObject({
      exitCode: 130,
      cause: { class: 'operator-interrupted' },
    });
  });

  test.each([
    { codes: [0, 0], whole: 0 },
    { codes: [4, 2], whole: 6 },
    { codes: [12, 2], whole: 14 },
    { codes: [12, 4, 0], whole: 12 },
    { codes: [0, 8], whole: 2 },
    { codes: [4, 8], whole: 6 },
    { codes: [8, 8], whole: 8 },
    { codes: [4, 16, 12], whole: 16 },
    { codes: [16, 20], whole: 20 },
  ])('ends $codes with $whole', ({ codes, whole }) => {
    expect(exitCodeOfPackages(codes)).toBe(whole);
  });
});

describe('a retry', () => {
  const START = told('run.started', { retries: 1 });
  const gone = told('testbed.removed', { cause: cause('testbed-died') });
  const begun = [START, planned(), 'test.started'] as const;

  test('is granted where the testbed is proven to be to blame, and then its failure does not count', () => {
    const past = [...begun, failedBy('testbed-died'), gone] as const;
    const granted = given(...past).when('retry.requested');
    expect(granted.fact('retry.granted')).toMatchObject({ attempt: 1, of: 1, cause: { class: 'testbed-died' } });
    const end = given(...past, 'retry.requested', 'test.started', 'test.finished').when('run.finished');
    expect(end.fact('run.concluded')).toMatchObject({ exitCode: 0, cause: null });
  });

  test('forgives a test that lost its testbed, and what is told of that later', () => {
    const lost = told('test.finished', {
      result: { kind: 'lost', how: 'closed' },
      cause: cause('connection-closed'),
    });
    const past = [...begun, lost, failedBy('connection-closed'), 'retry.requested', gone] as const;
    expect(
      given(...past)
        .when('run.finished')
        .fact('run.concluded').cause,
    ).toBeNull();
  });

  test.each<CauseClass>(['setup-failed', 'auth-refused', 'host-key-mismatch', 'testbed-disk-full', 'deadline-expired'])(
    'is denied where the cause is %s',
    (causeClass) => {
      const past = [...begun, failedBy(causeClass)] as const;
      expect(given(...past).when('retry.requested').facts).toEqual(['retry.denied']);
      expect(
        given(...past, 'retry.requested')
          .when('run.finished')
          .fact('run.concluded').cause?.class,
      ).toBe(causeClass);
    },
  );

  test('is denied where nothing says that the testbed failed, something of it is left, or all are used', () => {
    expect(given(...begun).when('retry.requested').facts).toEqual(['retry.denied']);
    const left = told('testbed.removed', { cause: cause('testbed-died'), leftovers: ['r1'] });
    expect(given(...begun, left).when('retry.requested').facts).toEqual(['retry.denied']);
    const other = { ...told('testbed.removed', { cause: cause('testbed-died') }), testbed: 'tb2' };
    const second = { ...told('retry.requested', {}), testbed: 'tb2' };
    const denied = given(...begun, gone, 'retry.requested', other).when(second);
    expect(denied.fact('retry.denied').reason).toBe('one retry was all there are');
    const past = [...begun, gone, 'retry.requested', other, second] as const;
    expect(
      given(...past)
        .when('run.finished')
        .fact('run.concluded').exitCode,
    ).toBe(16);
  });

  test('is denied where the run is ending, and where none was asked for', () => {
    expect(given(...begun, gone, 'operator.signalled').when('retry.requested').facts).toEqual(['retry.denied']);
    expect(given(...STARTED, gone).when('retry.requested').facts).toEqual(['retry.denied']);
  });

  test('leaves the failure of another testbed to be the cause', () => {
    const other = { ...told('testbed.failed', { cause: cause('boot-failed') }), testbed: 'tb2' };
    const past = [...begun, gone, other, 'retry.requested'] as const;
    expect(
      given(...past)
        .when('run.finished')
        .fact('run.concluded').cause?.class,
    ).toBe('boot-failed');
  });
});
