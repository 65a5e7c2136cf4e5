import { describe, expect, test } from 'vitest';
import { passed, specOf, told } from '../../support/machineSpec.ts';

const given = specOf('connection', {
  testbed: 'tb1',
  connection: 'c1',
  login: 'root',
  deadlines: { 'ssh-ready': 9000 },
});

const DIALING = ['connection.requested'] as const;
const GREETING = [...DIALING, 'socket.connected'] as const;
const EXCHANGING = [...GREETING, 'banner.received'] as const;
const AUTHENTICATING = [...EXCHANGING, 'hostkey.verified', 'handshake.completed'] as const;
const READY = [...AUTHENTICATING, 'auth.accepted'] as const;
const REFUSED = told('dial.failed', { how: 'refused', stage: 'connect' });

describe('making a connection', () => {
  test('begins with a dial, under a deadline for the dial and one for all attempts together', () => {
    const then = given().when('connection.requested');
    expect(then).toMatchObject({ state: 'dialing', commands: ['dial'], deadlines: ['+ssh-ready', '+connect'] });
  });

  test.each([
    ['connecting', GREETING, '+banner'],
    ['the banner', EXCHANGING, '+exchange'],
    ['the exchange of keys', AUTHENTICATING, '+auth'],
  ] as const)('goes on after %s under a deadline of its own', (_, past, deadline) => {
    const last = past.at(-1) ?? 'connection.requested';
    expect(
      given(...past.slice(0, -1))
        .when(last)
        .deadlines.at(-1),
    ).toBe(deadline);
  });

  test('ends with a login, and with that the deadline for all attempts', () => {
    const then = given(...AUTHENTICATING).when('auth.accepted');
    expect(then).toMatchObject({
      state: 'ready',
      facts: ['connection.established'],
      deadlines: ['-auth', '-ssh-ready'],
    });
  });
});

describe('a server that is not there yet', () => {
  test('is dialled again after a moment', () => {
    expect(given(...DIALING).when(REFUSED)).toMatchObject({ state: 'waiting', deadlines: ['-connect', '+redial'] });
    expect(given(...DIALING, REFUSED).when(passed('redial'))).toMatchObject({ state: 'dialing', commands: ['dial'] });
  });

  test('is given up when the deadline for all attempts passes, and the last refusal is the cause', () => {
    const then = given(...DIALING, REFUSED, passed('redial'), REFUSED).when(passed('ssh-ready', 9000));
    expect(then.fact('connection.failed').cause).toMatchObject({
      class: 'connection-refused',
      phase: 'ssh-ready',
      evidence: [4, 5],
      detail: 'refused (attempt 2); gave up after 9000 ms and 2 attempts',
    });
  });

  test.each([
    ['connect', DIALING, 'connection-unreachable'],
    ['banner', GREETING, 'connection-silent'],
    ['exchange', EXCHANGING, 'connection-silent'],
    ['auth', AUTHENTICATING, 'connection-silent'],
  ] as const)('or says nothing until the deadline %s is hung up on and dialled again', (deadline, past, causeClass) => {
    expect(given(...past).when(passed(deadline))).toMatchObject({ state: 'retiring', commands: ['hang-up'] });
    expect(given(...past, passed(deadline)).when('connection.closed').state).toBe('waiting');
    const then = given(...past, passed(deadline), 'connection.closed').when(passed('ssh-ready'));
    expect(then.fact('connection.failed').cause.class).toBe(causeClass);
  });

  test('and answers in the last moment is hung up on before the connection counts as failed', () => {
    expect(given(...GREETING).when(passed('ssh-ready'))).toMatchObject({
      state: 'abandoning',
      commands: ['hang-up'],
      facts: [],
    });
  });
});

describe('a server that will do no better', () => {
  test('is not dialled again where its host key is another', () => {
    const then = given(...EXCHANGING).when(
      told('hostkey.mismatched', { seen: 'SHA256:bad', expected: ['SHA256:good'] }),
    );
    expect(then.fact('connection.failed').cause).toMatchObject({
      class: 'host-key-mismatch',
      detail: 'the server showed SHA256:bad, expected SHA256:good',
    });
  });

  test('is not dialled again where it refuses the login', () => {
    const then = given(...AUTHENTICATING).when('auth.refused');
    expect(then.state).toBe('failed');
    expect(then.fact('connection.failed').cause).toMatchObject({ class: 'auth-refused', doing: 'logging in as root' });
  });

  test('is not dialled again where it speaks something else than SSH', () => {
    expect(
      given(...GREETING)
        .when('banner.rejected')
        .fact('connection.failed').cause.class,
    ).toBe('not-an-ssh-server');
  });

  test('is not dialled again where the two have no algorithm in common', () => {
    const then = given(...EXCHANGING).when(told('dial.failed', { how: 'protocol', stage: 'exchange' }));
    expect(then.fact('connection.failed').cause.class).toBe('protocol-error');
  });
});

describe('a connection that stands', () => {
  test('fails with how it was lost, and the missed keepalives prove it', () => {
    const then = given(...READY, 'keepalive.missed', 'keepalive.missed').when(
      told('connection.lost', { how: 'silent' }),
    );
    expect(then.fact('connection.failed').cause).toMatchObject({
      class: 'connection-silent',
      phase: 'exec',
      evidence: [7, 8, 9],
    });
  });

  test('may renew its keys', () => {
    expect(given(...READY, 'hostkey.verified').when('handshake.completed')).toMatchObject({
      state: 'ready',
      facts: [],
    });
  });

  test('is retired when it is hung up', () => {
    expect(given(...READY).when('hangup.requested')).toMatchObject({ state: 'closing', commands: ['hang-up'] });
    expect(given(...READY, 'hangup.requested').when('connection.closed').facts).toEqual(['connection.retired']);
  });

  test('is retired even where the driver never says that it is closed', () => {
    expect(given(...READY, 'hangup.requested').when(passed('hang-up')).facts).toEqual(['connection.retired']);
  });
});

test('a login before any key was exchanged is told of, and ends the connection', () => {
  expect(given(...GREETING).when('auth.accepted')).toMatchObject({
    state: 'confused',
    facts: ['event.unexpected'],
    commands: ['hang-up'],
  });
  const then = given(...GREETING, 'auth.accepted').when('connection.closed');
  expect(then.fact('connection.failed').cause.class).toBe('internal-error');
});
