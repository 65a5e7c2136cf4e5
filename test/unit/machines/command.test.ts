import { describe, expect, test } from 'vitest';
import { DEADLINES } from '../../../src/events/index.ts';
import { cause } from '../../support/facts.ts';
import { passed, specOf, told } from '../../support/machineSpec.ts';

const given = specOf('command', {
  testbed: 'tb1',
  command: 'x1',
  line: 'make check',
  timeout: null,
  sweep: false,
  deadlines: {},
});

const QUEUED = ['command.requested'] as const;
const OPENING = [...QUEUED, 'command.assigned'] as const;
const STARTING = [...OPENING, 'channel.opened'] as const;
const RUNNING = [...STARTING, 'command.started'] as const;
const TERM_FAILED = told('signal.failed', { signal: 'TERM' });
const LIMITED = { timeout: 5000 };
const SWEEPING = { sweep: true };

describe('a command that ends by itself', () => {
  test('waits in the queue until it has a connection, and is given a channel there', () => {
    const then = given(...QUEUED).when('command.assigned');
    expect(then).toMatchObject({ state: 'launching.opening', commands: ['open-channel'], deadlines: ['+channel'] });
  });

  test('runs without a limit where none was asked for', () => {
    expect(given(...OPENING, 'channel.opened').when('command.started').deadlines).toEqual(['-channel']);
  });

  test('is concluded with its exit status once its output is closed, not before', () => {
    expect(given(...RUNNING).when(told('command.exited', { status: 3 }))).toMatchObject({
      state: 'draining',
      facts: [],
    });
    const then = given(...RUNNING, told('command.exited', { status: 3 })).when('command.closed');
    expect(then.fact('command.concluded')).toMatchObject({
      result: { kind: 'exited', status: 3 },
      leaked: false,
      cause: null,
    });
  });

  test('is concluded with its signal where one ended it', () => {
    const then = given(...RUNNING, told('command.signalled', { signal: 'SEGV' })).when('command.closed');
    expect(then.fact('command.concluded').result).toEqual({ kind: 'signalled', signal: 'SEGV' });
  });

  test('may end before the server has said that it started', () => {
    expect(given(...OPENING, 'channel.opened').when('command.exited').state).toBe('draining');
  });
});

describe('a command that is lost', () => {
  test('has not failed: the connection did, and that is its cause', () => {
    const then = given(...RUNNING).when(told('command.lost', { how: 'reset', message: 'reset by peer' }));
    expect(then.fact('command.concluded')).toMatchObject({
      result: { kind: 'lost', how: 'reset' },
      cause: { class: 'connection-reset', phase: 'exec', doing: 'running make check', evidence: [5] },
    });
  });

  test('keeps its exit status where that was known before', () => {
    const then = given(...RUNNING, told('command.exited', { status: 1 })).when('command.lost');
    expect(then.fact('command.concluded')).toMatchObject({ result: { kind: 'exited', status: 1 }, cause: null });
  });

  test('is lost too where its channel closes without a status', () => {
    const { result, cause: why } = given(...RUNNING)
      .when('command.closed')
      .fact('command.concluded');
    expect([result, why?.class]).toEqual([{ kind: 'lost', how: 'closed' }, 'connection-closed']);
  });

  test('is lost to silence where nobody answers the request for a channel', () => {
    const then = given(...OPENING).when(passed('channel'));
    expect(then).toMatchObject({ state: 'giving-up', commands: ['close-channel'] });
    const { cause: why } = given(...OPENING, passed('channel'))
      .when('command.closed')
      .fact('command.concluded');
    expect(why).toMatchObject({ class: 'connection-silent', evidence: [3] });
  });
});

describe('a command that runs too long', () => {
  test('has its whole process group terminated when its time is up', () => {
    const then = given(...RUNNING)
      .bornWith(LIMITED)
      .when(passed('command', 5000));
    expect(then).toMatchObject({
      state: 'terminating',
      commands: ['signal TERM'],
      deadlines: ['-command', '+terminate'],
    });
  });

  test('is killed where it does not heed that', () => {
    const then = given(...RUNNING, passed('command'))
      .bornWith(LIMITED)
      .when(passed('terminate'));
    expect(then).toMatchObject({ state: 'killing', commands: ['signal KILL'], deadlines: ['-terminate', '+kill'] });
  });

  test('is killed at once where SIGTERM cannot be sent', () => {
    expect(
      given(...RUNNING, passed('command'))
        .bornWith(LIMITED)
        .when(TERM_FAILED).state,
    ).toBe('killing');
  });

  test('is given up, with what it left, where even SIGKILL does not end it', () => {
    const past = [...RUNNING, passed('command', 5000), passed('terminate'), passed('kill')] as const;
    expect(
      given(...RUNNING, passed('command'), passed('terminate'))
        .bornWith(LIMITED)
        .when(passed('kill')).commands,
    ).toEqual(['close-channel']);
    expect(
      given(...past)
        .bornWith(LIMITED)
        .when('command.closed')
        .fact('command.concluded'),
    ).toMatchObject({
      result: { kind: 'timed-out', after: 5000 },
      leaked: true,
    });
  });

  test('has timed out, whatever its last words were', () => {
    const past = [
      ...RUNNING,
      passed('command', 5000),
      told('command.exited', { status: 0 }),
      'command.closed',
    ] as const;
    expect(
      given(...past)
        .bornWith(LIMITED)
        .when(told('signal.delivered', { survivors: 0 }))
        .fact('command.concluded'),
    ).toMatchObject({
      result: { kind: 'timed-out', after: 5000 },
      leaked: false,
    });
  });
});

describe('what a command leaves behind', () => {
  const ENDED = [...RUNNING, 'command.exited'] as const;

  test('is swept after its end where that was asked for', () => {
    expect(
      given(...ENDED)
        .bornWith(SWEEPING)
        .when('command.closed'),
    ).toMatchObject({ state: 'sweeping', commands: ['signal KILL'] });
  });

  test('is a leak where something was there to be killed', () => {
    const then = given(...ENDED, 'command.closed')
      .bornWith(SWEEPING)
      .when(told('signal.delivered', { survivors: 2 }));
    expect(then.fact('command.concluded').leaked).toBe(true);
  });

  test.each([
    told('signal.failed', { signal: 'KILL' }),
    told('signal.delivered', { survivors: null }),
    told('command.lost', {}),
    passed('kill'),
  ])('is not known where it could not be looked for ($type)', (event) => {
    const then = given(...ENDED, 'command.closed')
      .bornWith(SWEEPING)
      .when(event);
    expect(then.fact('command.concluded')).toMatchObject({ result: { kind: 'exited' }, leaked: null });
  });

  test('is left alone where that was asked for', () => {
    expect(given(...ENDED).when('command.closed')).toMatchObject({ state: 'concluded', commands: [] });
  });

  test('does not keep a command from ending by holding its output open', () => {
    expect(
      given(...ENDED)
        .bornWith(SWEEPING)
        .when(passed('drain')),
    ).toMatchObject({ state: 'clearing', commands: ['signal KILL'] });
    expect(given(...ENDED).when(passed('drain'))).toMatchObject({ state: 'giving-up', commands: ['close-channel'] });
  });
});

describe('what a command leaves behind that holds its output open', () => {
  const CLEARING = [...RUNNING, 'command.exited', passed('drain')] as const;
  const killed = (survivors: number | null) => told('signal.delivered', { survivors });

  test.each([
    ['the usual time', {}, DEADLINES.drain],
    ['the time that its command was given', { drain: 250 }, 250],
    ['the time that the run was given', { drain: 250, deadlines: { drain: 9000 } }, 9000],
  ])('has %s for that', (_whose, born, ms) => {
    const then = given(...RUNNING)
      .bornWith(born)
      .when('command.exited');
    expect(then.milliseconds('drain')).toBe(ms);
  });

  test('is no leak where there was nobody to be killed: its last words took their time', () => {
    const then = given(...CLEARING, 'command.closed')
      .bornWith(SWEEPING)
      .when(killed(0));
    expect(then.fact('command.concluded')).toMatchObject({ result: { kind: 'exited' }, leaked: false });
  });

  test('is a leak where it was killed, whichever is told first', () => {
    const closed = given(...CLEARING, 'command.closed').bornWith(SWEEPING);
    expect(closed.when(killed(1)).fact('command.concluded').leaked).toBe(true);
    const told = given(...CLEARING, killed(1)).bornWith(SWEEPING);
    expect(told.when('command.closed').fact('command.concluded').leaked).toBe(true);
  });

  test('is given up where nobody could kill it', () => {
    const then = given(...CLEARING, killed(0)).bornWith(SWEEPING);
    expect(then.when('command.output')).toMatchObject({ state: 'emptying', commands: [] });
    expect(then.when(passed('drain'))).toMatchObject({ state: 'giving-up', commands: ['close-channel'] });
    const over = given(...CLEARING, killed(0), passed('drain')).bornWith(SWEEPING);
    expect(over.when('command.closed').fact('command.concluded').leaked).toBe(true);
  });
});

describe('a command that is not wanted (any more)', () => {
  test('never starts where it still waits', () => {
    expect(
      given(...QUEUED)
        .when('cancel.requested')
        .fact('command.concluded').result,
    ).toEqual({ kind: 'cancelled' });
  });

  test('is ended as soon as it has started where the server is about to start it', () => {
    expect(given(...OPENING).when('cancel.requested')).toMatchObject({ state: 'withdrawing.opening', commands: [] });
    expect(given(...OPENING, 'cancel.requested').when('command.started').commands).toEqual(['signal TERM']);
    expect(given(...STARTING).when('cancel.requested')).toMatchObject({
      commands: [],
      deadlines: ['-channel', '+terminate'],
    });
    expect(given(...STARTING, 'cancel.requested').when('command.started').commands).toEqual(['signal TERM']);
  });

  test('is killed without its pid where its login shell does not come to start it', () => {
    const then = given(...STARTING, 'cancel.requested').when(passed('terminate'));
    expect(then).toMatchObject({ state: 'killing', commands: ['signal KILL'] });
    expect(given(...STARTING, 'cancel.requested').when('command.abandoned').commands).toEqual(['signal KILL']);
    expect(given(...STARTING).when('command.abandoned').commands).toEqual(['signal KILL']);
  });

  test('is killed once more by its pid where that came too late', () => {
    const then = given(...STARTING, 'cancel.requested', passed('terminate')).when('command.started');
    expect(then).toMatchObject({ state: 'killing', commands: ['signal KILL'], deadlines: ['-kill', '+kill'] });
  });

  test('is terminated where somebody cancels it, and killed where its testbed goes', () => {
    expect(given(...RUNNING).when('cancel.requested').commands).toEqual(['signal TERM']);
    expect(given(...RUNNING).when('command.abandoned').commands).toEqual(['signal KILL']);
  });

  test('says why it was refused where its testbed failed', () => {
    const then = given(...QUEUED).when(told('command.abandoned', { reason: 'no login', cause: cause('auth-refused') }));
    expect(then.fact('command.concluded')).toMatchObject({
      result: { kind: 'refused', message: 'no login' },
      cause: { class: 'auth-refused' },
    });
  });
});

describe('a server without room', () => {
  test('sends a command back into the queue where another connection may do', () => {
    expect(given(...OPENING).when(told('channel.refused', { limit: true }))).toMatchObject({
      state: 'queued',
      facts: [],
    });
  });

  test('ends a command where it refuses the command itself', () => {
    const then = given(...OPENING).when(told('channel.refused', { limit: false, message: 'prohibited' }));
    expect(then.fact('command.concluded').cause).toMatchObject({ class: 'channel-refused', detail: 'prohibited' });
  });
});

test('a driver that breaks its contract is told of, and the channel is given up', () => {
  const then = given(...RUNNING).when('channel.opened');
  expect(then).toMatchObject({ state: 'giving-up', facts: ['event.unexpected'], commands: ['close-channel'] });
});
