import { describe, expect, test } from 'vitest';
import { cause } from '../../support/facts.ts';
import { passed, specOf, type Told, told } from '../../support/machineSpec.ts';

const given = specOf('testbed', { testbed: 'tb1', deadlines: {}, maxConnections: 2 });

const [C1, C2] = [{ connection: 'tb1.c1' }, { connection: 'tb1.c2' }];
const PROVISIONING = ['testbed.requested'] as const;
const BOOTING = [...PROVISIONING, 'provision.completed'] as const;
const CONNECTING = [...BOOTING, 'backend.readied'] as const;
const READY = [...CONNECTING, told('connection.established', C1)] as const;
const FORCE = told('teardown.requested', { force: true });

function asked(command: string, login = ''): Told {
  return told('command.requested', { command, login });
}

function ended(command: string): Told {
  return told('command.concluded', { command });
}

const BUSY = [...READY, asked('x1')] as const;

describe('a testbed on its way up', () => {
  test('is asked of the backend, and connected to once that is ready', () => {
    expect(given().when('testbed.requested')).toMatchObject({ state: 'provisioning', facts: ['startup.requested'] });
    expect(
      given(...BOOTING)
        .when('backend.readied')
        .fact('connection.requested'),
    ).toMatchObject({ ...C1, login: 'root' });
    expect(given(...CONNECTING).when(told('connection.established', C1))).toMatchObject({
      state: 'ready.idle',
      facts: ['testbed.readied'],
    });
  });

  test('keeps what is to run until it is ready', () => {
    const then = given(...PROVISIONING, asked('x1'), 'provision.completed', 'backend.readied').when(
      told('connection.established', C1),
    );
    expect(then.fact('command.assigned')).toMatchObject({ command: 'x1', ...C1 });
    expect(then.state).toBe('ready.executing');
  });

  test('fails with the cause of the backend, or of the connection that it waits for', () => {
    const [boot, auth] = [cause('boot-failed'), cause('auth-refused')];
    expect(
      given(...BOOTING)
        .when(told('backend.failed', { cause: boot }))
        .fact('testbed.failed').cause,
    ).toEqual(boot);
    const refused = told('connection.failed', { ...C1, cause: auth });
    expect(
      given(...CONNECTING)
        .when(refused)
        .fact('testbed.failed').cause,
    ).toEqual(auth);
  });
});

describe('commands on a testbed that is ready', () => {
  test('share a connection as long as that has room', () => {
    expect(
      given(...BUSY)
        .when(asked('x2'))
        .fact('command.assigned'),
    ).toMatchObject({ command: 'x2', ...C1 });
  });

  test('go to another connection where the server takes no more sessions on the first', () => {
    const full = told('channel.refused', { command: 'x3', ...C1, limit: true });
    const then = given(...BUSY, asked('x2'), asked('x3')).when(full);
    expect(then.fact('connection.requested')).toMatchObject(C2);
    const after = given(...BUSY, asked('x2'), asked('x3'), full).when(told('connection.established', C2));
    expect(after.fact('command.assigned')).toMatchObject({ command: 'x3', ...C2 });
  });

  test('are not put on a connection that has once refused so many', () => {
    const full = told('channel.refused', { command: 'x3', ...C1, limit: true });
    const past = [...BUSY, asked('x2'), asked('x3'), full, told('connection.established', C2)] as const;
    expect(
      given(...past)
        .when(asked('x4'))
        .fact('command.assigned'),
    ).toMatchObject(C2);
  });

  test('cannot be had at all where the server grants no session', () => {
    const none = told('channel.refused', { command: 'x1', ...C1, limit: true });
    expect(
      given(...BUSY)
        .when(none)
        .fact('testbed.failed').cause,
    ).toMatchObject({ class: 'channel-refused' });
  });

  test('get a connection of their own where they want another login', () => {
    expect(
      given(...READY)
        .when(asked('x1', 'user'))
        .fact('connection.requested'),
    ).toMatchObject({ ...C2, login: 'user' });
  });

  test('are abandoned where their login cannot be had; the testbed stays', () => {
    const refused = told('connection.failed', { ...C2, cause: cause('auth-refused') });
    const then = given(...READY, asked('x1', 'user')).when(refused);
    expect(then.fact('command.abandoned')).toMatchObject({
      command: 'x1',
      reason: 'no connection as user',
      cause: { class: 'auth-refused' },
    });
    expect(then.state).toMatch(/^ready/);
  });

  test('leave the testbed idle when the last has ended', () => {
    expect(given(...BUSY).when(ended('x1')).state).toBe('ready.idle');
  });
});

describe('a testbed fails', () => {
  const LOST = told('connection.failed', { ...C1, cause: cause('connection-reset', [9]) });

  test('where a connection breaks that stood', () => {
    expect(
      given(...BUSY)
        .when(LOST)
        .fact('testbed.failed').cause.class,
    ).toBe('connection-reset');
  });

  test('once, and knows better when the backend tells of a death', () => {
    const died = told('backend.failed', { cause: cause('testbed-died', [10]) });
    expect(given(...READY, LOST).when(died).facts).toEqual([]);
    const then = given(...READY, LOST, died, 'teardown.requested').when('backend.removed');
    expect(then.fact('testbed.removed').cause).toMatchObject({ class: 'testbed-died', evidence: [9, 10] });
  });

  test('and runs nothing after that', () => {
    const then = given(...READY, LOST).when(asked('x2'));
    expect(then.fact('command.abandoned')).toMatchObject({ command: 'x2', reason: 'the testbed has failed' });
  });
});

describe('rebooting and reverting', () => {
  const REBOOTING = [...READY, 'reboot.requested'] as const;
  const REVERTING = [...BUSY, 'revert.requested'] as const;
  const RESETTING = [...REVERTING, ended('x1'), told('connection.retired', C1)] as const;

  test('a reboot hangs up first, and ends with a new generation', () => {
    expect(given(...READY).when('reboot.requested')).toMatchObject({ state: 'rebooting', facts: ['hangup.requested'] });
    const then = given(...REBOOTING, told('connection.retired', C1)).when('reboot.proven');
    expect(then.fact('testbed.readied').generation).toBe(1);
  });

  test('but not where something in the testbed reboots it: what is left of the old boot goes when another answers', () => {
    const asked = told('reboot.requested', { line: 'go' });
    expect(given(...READY).when(asked)).toMatchObject({ state: 'rebooting', facts: [] });
    const [id, login] = ['tb1.g0r1', 'root'];
    const risen = [
      told('connection.requested', { connection: id, login }),
      told('connection.established', { connection: id, login }),
    ];
    const then = given(...READY, asked, ...risen).when('reboot.proven');
    expect(then.fact('hangup.requested')).toMatchObject(C1);
    expect(then.facts).toEqual(['hangup.requested', 'testbed.readied']);
  });

  test('a reboot that is not proven fails the testbed', () => {
    expect(
      given(...REBOOTING)
        .when('reboot.failed')
        .fact('testbed.failed').cause.class,
    ).toBe('reboot-failed');
  });

  test('a revert ends what runs, hangs up, resets, and connects anew, in this order', () => {
    expect(given(...BUSY).when('revert.requested').facts).toEqual(['command.abandoned', 'hangup.requested']);
    expect(given(...REVERTING, ended('x1')).when(told('connection.retired', C1)).facts).toEqual(['reset.requested']);
    expect(given(...RESETTING).when('backend.readied').facts).toEqual(['connection.requested']);
    const then = given(...RESETTING, 'backend.readied').when(told('connection.established', C2));
    expect(then.fact('testbed.readied').generation).toBe(1);
  });

  test('a revert does not wait for ever for a connection to end', () => {
    expect(given(...REVERTING).when(passed('hang-up'))).toMatchObject({
      state: 'reverting.resetting',
      facts: ['reset.requested'],
    });
  });
});

describe('tearing a testbed down', () => {
  const SETTLING = [...BUSY, 'teardown.requested'] as const;
  const HANGING_UP = [...SETTLING, ended('x1')] as const;
  const REMOVING = [...HANGING_UP, told('connection.retired', C1)] as const;

  test('ends the commands, then the connections, then the testbed', () => {
    expect(given(...BUSY).when('teardown.requested')).toMatchObject({
      facts: ['command.abandoned'],
      deadlines: ['+settle'],
    });
    expect(given(...SETTLING).when(ended('x1'))).toMatchObject({
      facts: ['hangup.requested'],
      deadlines: ['-settle', '+hang-up'],
    });
    const then = given(...HANGING_UP).when(told('connection.retired', C1));
    expect(then).toMatchObject({ facts: ['removal.requested'], deadlines: ['-hang-up', '+teardown'] });
    expect(given(...REMOVING).when('backend.removed')).toMatchObject({ state: 'gone', facts: ['testbed.removed'] });
  });

  test.each([
    ['settle', SETTLING, 'hangup.requested'],
    ['hang-up', HANGING_UP, 'removal.requested'],
    ['teardown', REMOVING, 'testbed.removed'],
  ] as const)('goes on when the deadline %s passes', (deadline, past, fact) => {
    expect(given(...past).when(passed(deadline)).facts).toEqual([fact]);
  });

  test('that nobody brings to its end is a failure of its own', () => {
    expect(
      given(...REMOVING)
        .when(passed('teardown'))
        .fact('testbed.removed').cause?.class,
    ).toBe('teardown-failed');
  });

  test('skips all patience where it is forced, also in the middle', () => {
    expect(
      given(...BUSY)
        .when(FORCE)
        .fact('removal.requested').force,
    ).toBe(true);
    expect(
      given(...SETTLING)
        .when(FORCE)
        .fact('removal.requested').force,
    ).toBe(true);
  });

  test('refuses what is asked for meanwhile', () => {
    expect(
      given(...SETTLING)
        .when(asked('x2'))
        .fact('command.abandoned').command,
    ).toBe('x2');
  });

  test('tells what the backend left behind', () => {
    const then = given(...REMOVING).when(told('backend.removed', { leftovers: ['overlay'] }));
    expect(then.fact('testbed.removed').leftovers).toEqual(['overlay']);
  });

  test('leaves it where somebody wants to keep it, once nobody is connected any more', () => {
    const KEEP = told('teardown.requested', { keep: true });
    const KEEPING = [...BUSY, KEEP, ended('x1'), told('connection.retired', C1)] as const;
    const then = given(...KEEPING.slice(0, -1)).when(told('connection.retired', C1));
    expect(then.fact('removal.requested')).toMatchObject({ force: false, keep: true });
    const kept = { enter: ['podman', 'exec', '-it', 'tb1', 'sh'], resources: ['container'] };
    const end = given(...KEEPING).when(told('backend.kept', kept));
    expect(end).toMatchObject({ state: 'kept', deadlines: ['-teardown'] });
    expect(end.fact('testbed.kept')).toMatchObject(kept);
    // Somebody who insists has it removed.
    const forced = given(...KEEPING)
      .when(FORCE)
      .fact('removal.requested');
    expect(forced).toMatchObject({ force: true });
    expect(forced.keep).toBeUndefined();
  });

  test('works from any state before', () => {
    for (const past of [PROVISIONING, BOOTING, CONNECTING, READY]) {
      expect(given(...past).when('teardown.requested').state).toMatch(/^tearing-down/);
    }
  });
});
