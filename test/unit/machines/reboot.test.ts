import { describe, expect, test } from 'vitest';
import { passed, specOf, told } from '../../support/machineSpec.ts';

const given = specOf('reboot', { testbed: 'tb1', login: 'root', generation: 0, how: 'guest', line: '', deadlines: {} });

/** The first connection is for learning which boot runs; those after it are for proving that another does. */
const [FIRST, SECOND] = [{ connection: 'tb1.g0r1' }, { connection: 'tb1.g0r2' }];
const CONNECTING = ['reboot.requested'] as const;
const IDENTIFYING = [...CONNECTING, told('connection.established', FIRST)] as const;
const OLD_BOOT = told('boot.identified', { ...FIRST, identity: 'boot-1' });
const ASKING = [...IDENTIFYING, OLD_BOOT] as const;
const PAUSING = [...ASKING, told('connection.failed', FIRST)] as const;
const RISING = [...PAUSING, passed('redial')] as const;
const PROVING = [...RISING, told('connection.established', SECOND)] as const;

describe('a reboot', () => {
  test('first learns which boot is running, over a connection of its own', () => {
    expect(given().when('reboot.requested').fact('connection.requested')).toMatchObject(FIRST);
    const then = given(...CONNECTING).when(told('connection.established', FIRST));
    expect(then).toMatchObject({ state: 'identifying', commands: ['identify-boot'], deadlines: ['+reboot-identify'] });
  });

  test('has the guest reboot itself, and takes the end of the connection for its going down', () => {
    expect(given(...IDENTIFYING).when(OLD_BOOT)).toMatchObject({ state: 'asking', commands: ['ask-reboot'] });
    expect(given(...ASKING).when(told('connection.failed', FIRST)).deadlines).toEqual([
      '-reboot-down',
      '+reboot-up',
      '+redial',
    ]);
  });

  test('or has the backend restart the testbed, once its connection is hung up', () => {
    const then = given(...IDENTIFYING)
      .bornWith({ how: 'backend' })
      .when(OLD_BOOT);
    expect(then).toMatchObject({ state: 'restarting', facts: ['hangup.requested', 'restart.requested'] });
  });

  test('with a line, has that line run by the backend', () => {
    const restarts = given(...IDENTIFYING).bornWith({ how: 'backend', line: 'go' });
    expect(restarts.when(OLD_BOOT).fact('restart.requested')).toMatchObject({ line: 'go' });
  });

  test('is proven by another boot, and by nothing else', () => {
    const then = given(...PROVING).when(told('boot.identified', { ...SECOND, identity: 'boot-2' }));
    expect(then.fact('reboot.proven')).toMatchObject({ before: 'boot-1', after: 'boot-2' });
    expect(then.deadlines).toContain('-reboot-up');
  });

  test('is not proven by the boot from before, still on its way down: that is hung up on', () => {
    const then = given(...PROVING).when(told('boot.identified', { ...SECOND, identity: 'boot-1' }));
    expect(then).toMatchObject({ state: 'pausing', facts: ['hangup.requested'] });
  });

  test('is not proven by an answer over a connection from before', () => {
    expect(given(...RISING).when(told('connection.established', FIRST)).state).toBe('rising');
  });

  test('dials again while connections break', () => {
    expect(given(...RISING).when(told('connection.failed', SECOND)).deadlines).toEqual(['+redial']);
    expect(given(...PROVING).when('boot.unidentified').state).toBe('pausing');
  });
});

describe('a reboot fails', () => {
  test.each([
    ['reboot-identify', IDENTIFYING, 'learning which boot is running'],
    ['reboot-down', ASKING, 'waiting for the testbed to go down'],
    ['reboot-up', PAUSING, 'waiting for another boot to answer'],
    ['reboot-up', RISING, 'waiting for the testbed to come up'],
    ['reboot-up', PROVING, 'proving that another boot is running'],
  ] as const)('when the deadline %s passes, and says what was not done', (deadline, past, doing) => {
    const then = given(...past).when(passed(deadline, 80));
    expect(then.fact('reboot.failed').cause).toMatchObject({
      class: 'reboot-failed',
      doing,
      detail: 'not within 80 ms',
    });
  });

  test('where nobody can tell which boot is running', () => {
    expect(given(...IDENTIFYING).when('boot.unidentified').facts).toEqual(['reboot.failed']);
  });

  test('where the testbed fails or is torn down meanwhile', () => {
    expect(given(...PAUSING).when('backend.failed').facts).toEqual(['reboot.failed']);
    expect(given(...RISING).when('teardown.requested').facts).toEqual(['reboot.failed']);
  });
});
