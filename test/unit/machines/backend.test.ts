import { describe, expect, test } from 'vitest';
import { passed, specOf, told } from '../../support/machineSpec.ts';

const given = specOf('backend', { testbed: 'tb1', deadlines: {} });

const CREATING = ['startup.requested'] as const;
const STARTING = [...CREATING, 'provision.completed'] as const;
const LOCATING = [...STARTING, 'boot.completed'] as const;
const UP = [...LOCATING, 'endpoint.announced'] as const;
const STOPPING = [...UP, 'removal.requested'] as const;
const DESTROYING = [...STOPPING, 'shutdown.completed'] as const;
const FORCE = told('removal.requested', { force: true });

describe('bringing a testbed up', () => {
  test('calls one verb after the other, each under its deadline', () => {
    expect(given().when('startup.requested')).toMatchObject({ commands: ['create'], deadlines: ['+provision'] });
    expect(given(...CREATING).when('provision.completed')).toMatchObject({
      commands: ['start'],
      deadlines: ['-provision', '+boot'],
    });
    expect(given(...STARTING).when('boot.completed')).toMatchObject({
      commands: ['locate'],
      deadlines: ['-boot', '+endpoint'],
    });
    expect(given(...LOCATING).when('endpoint.announced')).toMatchObject({
      state: 'up',
      deadlines: ['-endpoint'],
      facts: ['backend.readied'],
    });
  });

  test.each([
    ['create', CREATING, 'provision.failed', 'provision-failed', 'provision'],
    ['start', STARTING, 'boot.failed', 'boot-failed', 'boot'],
    ['locate', LOCATING, 'endpoint.failed', 'boot-failed', 'boot'],
    ['restart', [...UP, 'restart.requested'], 'restart.failed', 'reboot-failed', 'reboot'],
    ['reset', [...UP, 'reset.requested'], 'reset.failed', 'revert-failed', 'revert'],
  ] as const)('fails where %s fails, with what the backend said', (_, past, event, causeClass, phase) => {
    const failure = { code: 'ENOENT', message: 'no such image', remedy: 'build it' };
    const then = given(...past).when(told(event, { failure }));
    expect(then.fact('backend.failed').cause).toMatchObject({
      class: causeClass,
      phase,
      detail: 'ENOENT: no such image; try: build it',
      evidence: [past.length + 1],
    });
  });

  test('is wrong usage where the words after the backend cannot be had, as long as nothing is there to blame', () => {
    const failure = { code: 'usage', message: '--rm is not for you to say' };
    const classAfter = (past: readonly string[], event: 'provision.failed' | 'boot.failed') =>
      given(...(past as typeof CREATING))
        .when(told(event, { failure }))
        .fact('backend.failed').cause.class;
    expect(classAfter(CREATING, 'provision.failed')).toBe('wrong-usage');
    expect(classAfter(STARTING, 'boot.failed')).toBe('boot-failed');
  });

  test.each([
    ['provision', CREATING, 'creating the testbed'],
    ['boot', STARTING, 'starting the testbed'],
    ['endpoint', LOCATING, 'finding out where its SSH server is'],
    ['restart', [...UP, 'restart.requested'], 'restarting the testbed'],
    ['reset', [...UP, 'reset.requested'], 'putting the testbed back'],
  ] as const)('cancels the verb where the deadline %s passes, and says what was not done', (deadline, past, doing) => {
    expect(given(...past).when(passed(deadline, 70))).toMatchObject({
      state: 'cancelling',
      commands: ['cancel'],
      facts: [],
    });
    // However the verb ends after that, the cause is what it was.
    const then = given(...past, passed(deadline, 70)).when('provision.failed');
    expect(then.fact('backend.failed').cause).toMatchObject({
      class: 'deadline-expired',
      doing,
      detail: 'not done within 70 ms',
    });
  });

  test('is given up where a verb does not even heed its cancellation', () => {
    expect(given(...CREATING, passed('provision')).when(passed('cancel'))).toMatchObject({
      state: 'failed',
      facts: ['backend.failed'],
    });
  });
});

describe('a testbed that dies', () => {
  test.each([
    ['process.exited', 'process p1 ended with exit status 1'],
    ['guest.panicked', 'the kernel panicked: not syncing'],
    ['guest.stopped', 'the guest stopped: shutdown'],
    ['endpoint.withdrawn', 'the endpoint is gone: the network went'],
  ] as const)('while it is up fails with %s as the proof', (event, detail) => {
    expect(
      given(...UP)
        .when(event)
        .fact('backend.failed').cause,
    ).toMatchObject({ class: 'testbed-died', detail, evidence: [5] });
  });

  test('while it starts has its verb cancelled first', () => {
    expect(given(...STARTING).when('guest.panicked')).toMatchObject({ state: 'cancelling', commands: ['cancel'] });
  });

  test('is not what ends with a helper process', () => {
    expect(given(...UP).when(told('process.exited', { role: 'helper' })).state).toBe('up');
  });
});

describe('removing a testbed', () => {
  test('stops it, then destroys it', () => {
    expect(given(...UP).when('removal.requested')).toMatchObject({ commands: ['stop'], deadlines: ['+shutdown'] });
    expect(given(...STOPPING).when('shutdown.completed')).toMatchObject({
      commands: ['destroy'],
      deadlines: ['-shutdown', '+destroy'],
    });
    expect(
      given(...DESTROYING)
        .when('destruction.completed')
        .fact('backend.removed'),
    ).toMatchObject({ leftovers: [], cause: null });
  });

  test('goes on where stopping fails or never ends, and tells of it', () => {
    expect(given(...STOPPING).when('shutdown.failed').commands).toContain('destroy');
    expect(given(...STOPPING).when(passed('shutdown')).commands).toContain('destroy');
    const { cause } = given(...STOPPING, 'shutdown.failed')
      .when('destruction.completed')
      .fact('backend.removed');
    expect(cause).toMatchObject({ class: 'teardown-failed', doing: 'stopping the testbed' });
  });

  test('does not wait for the stop where it is forced', () => {
    expect(given(...STOPPING).when(FORCE).commands).toContain('destroy');
  });

  test('comes to its end where destroying fails, and names what is left', () => {
    const acquired = told('resource.acquired', { resource: 'overlay' });
    expect(
      given(acquired, ...DESTROYING)
        .when('destruction.failed')
        .fact('backend.removed'),
    ).toMatchObject({
      leftovers: ['overlay'],
      cause: { class: 'teardown-failed', doing: 'removing the testbed' },
    });
  });

  test('leaves nothing that was struck out, and names what was written down twice once', () => {
    const [one, two] = [told('resource.acquired', { resource: 'one' }), told('resource.acquired', { resource: 'two' })];
    const past = [one, two, two, told('resource.released', { resource: 'one' }), ...DESTROYING] as const;
    expect(
      given(...past)
        .when('destruction.completed')
        .fact('backend.removed').leftovers,
    ).toEqual(['two']);
  });

  test('waits for the end of the verb that is running, which is told to end', () => {
    expect(given(...CREATING).when('removal.requested')).toMatchObject({ state: 'cancelling', commands: ['cancel'] });
    expect(given(...CREATING, 'removal.requested').when('provision.completed')).toMatchObject({
      state: 'stopping',
      commands: ['stop'],
    });
  });

  test('does not mind what dies on the way down', () => {
    expect(given(...STOPPING).when('process.exited')).toMatchObject({ state: 'stopping', facts: [] });
  });

  test('still hears that the testbed had stopped by itself', () => {
    const stopped = told('guest.stopped', { reason: 'it was killed' });
    expect(
      given(...STOPPING, stopped, 'shutdown.completed')
        .when('destruction.completed')
        .fact('backend.removed').cause,
    ).toMatchObject({ class: 'testbed-died', detail: 'the guest stopped: it was killed' });
  });

  test('is nothing to do where nothing was made', () => {
    expect(given().when('removal.requested')).toMatchObject({
      state: 'gone',
      commands: [],
      facts: ['backend.removed'],
    });
  });
});

describe('a testbed that is to stay', () => {
  const KEEP = told('removal.requested', { keep: true });
  const KEEPING = [...UP, KEEP] as const;
  const enter = ['podman', 'exec', '-it', 'tb1', 'sh'];

  test('is let go of instead of being stopped and removed, and says what stays with it', () => {
    expect(given(...UP).when(KEEP)).toMatchObject({ state: 'keeping', commands: ['keep'], deadlines: ['+keep'] });
    const acquired = told('resource.acquired', { resource: 'container' });
    const then = given(acquired, ...KEEPING).when(told('keeping.completed', { enter }));
    expect(then).toMatchObject({ state: 'kept', commands: [], deadlines: ['-keep'], facts: ['backend.kept'] });
    expect(then.fact('backend.kept')).toMatchObject({ enter, resources: ['container'] });
  });

  test('is removed where it cannot be left, and that is no failure of the testbed', () => {
    expect(given(...KEEPING).when('keeping.failed')).toMatchObject({ state: 'stopping', commands: ['stop'] });
    const { cause } = given(...KEEPING, 'keeping.failed', 'shutdown.completed')
      .when('destruction.completed')
      .fact('backend.removed');
    expect(cause).toBeNull();
  });

  test('is removed where letting go of it takes too long', () => {
    expect(given(...KEEPING).when(passed('keep'))).toMatchObject({ state: 'cancelling', commands: ['cancel'] });
    expect(given(...KEEPING, passed('keep')).when('keeping.failed').commands).toEqual(['stop']);
  });

  test('is removed where somebody insists on it meanwhile, and not where somebody only asks again', () => {
    expect(given(...KEEPING).when('removal.requested').state).toBe('keeping');
    expect(given(...KEEPING).when(FORCE)).toMatchObject({ state: 'cancelling', commands: ['cancel'] });
  });

  test('is removed where it dies meanwhile, and tells of that', () => {
    const stopped = told('guest.stopped', { reason: 'it was killed' });
    const { cause } = given(...KEEPING, stopped, 'keeping.failed', 'shutdown.completed')
      .when('destruction.completed')
      .fact('backend.removed');
    expect(cause).toMatchObject({ class: 'testbed-died' });
  });

  test.each([
    ['it is not up yet', STARTING, 'cancelling'],
    ['it has failed', [...UP, 'guest.panicked'], 'stopping'],
    ['nothing was made', [], 'gone'],
  ] as const)('is removed where %s', (_, past, state) => {
    expect(given(...past).when(KEEP).state).toBe(state);
  });

  test('is removed where force is asked for as well', () => {
    expect(given(...UP).when(told('removal.requested', { keep: true, force: true })).state).toBe('stopping');
  });
});

test('the late end of a verb after the failure changes nothing', () => {
  const past = [...CREATING, passed('provision'), passed('cancel')] as const;
  expect(given(...past).when('provision.completed')).toMatchObject({ state: 'failed', facts: [], commands: [] });
  expect(given(...past, 'provision.completed').when('removal.requested').commands).toEqual(['stop']);
});

test('the end of a verb that was not called is told of, and ends the testbed', () => {
  expect(given(...STARTING).when('reset.completed').facts).toEqual(['event.unexpected', 'backend.failed']);
});
