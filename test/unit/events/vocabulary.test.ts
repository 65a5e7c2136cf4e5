import { describe, expect, test } from 'vitest';
import { type CauseClass, classOfLoss, type EventType, exitCodeOf, type Loss } from '../../../src/events/index.ts';
import { backendSchemas, resourceSchemas } from '../../../src/events/schemas/backend.ts';
import { commandSchemas, copySchemas } from '../../../src/events/schemas/command.ts';
import { causeClassSchema, lossSchema } from '../../../src/events/schemas/common.ts';
import { connectionSchemas, rebootSchemas } from '../../../src/events/schemas/connection.ts';
import { eventSchemas } from '../../../src/events/schemas/index.ts';
import { runSchemas, surroundingSchemas, testbedSchemas } from '../../../src/events/schemas/run.ts';
import { MACHINES } from '../../../src/machines/index.ts';

const TYPES = Object.keys(eventSchemas) as EventType[];

/** Past participles that do not end in `-ed`. */
const IRREGULAR = ['kept', 'left', 'lost', 'seen', 'proven', 'withdrawn', 'output'];

/** What must be told apart in each phase, on either side, and the events that do. */
const FACTS: Readonly<Record<string, readonly EventType[]>> = {
  'the testbed is made, or not': ['provision.completed', 'provision.failed'],
  'it boots, or not': ['boot.completed', 'boot.failed', 'guest.panicked', 'guest.stopped'],
  'console output': ['console.printed'],
  'a process of the backend, its exit code or signal': ['process.spawned', 'process.exited'],
  'an endpoint comes and goes': ['endpoint.announced', 'endpoint.failed', 'endpoint.withdrawn'],
  'each step of the handshake': [
    ...(['dial.started', 'dial.failed', 'socket.connected', 'banner.received', 'banner.rejected'] as const),
    ...(['hostkey.seen', 'hostkey.verified', 'hostkey.mismatched', 'handshake.completed'] as const),
    ...(['auth.accepted', 'auth.refused'] as const),
  ],
  'a connection that goes bad': ['keepalive.missed', 'connection.lost', 'connection.closed'],
  'a session': ['channel.opened', 'channel.refused'],
  'a command': ['command.started', 'command.output', 'command.exited', 'command.signalled', 'command.lost'],
  'a signal to it': ['signal.delivered', 'signal.failed'],
  'a copy': ['copy.started', 'copy.progressed', 'copy.completed', 'copy.failed'],
  'a reboot': ['reboot.asked', 'boot.identified', 'boot.unidentified', 'reboot.proven', 'reboot.failed'],
  'a failure': ['testbed.failed', 'backend.failed', 'connection.failed', 'step.failed'],
  'a teardown': ['shutdown.completed', 'shutdown.failed', 'destruction.completed', 'destruction.failed'],
  'a testbed that stays': ['keeping.completed', 'keeping.failed', 'testbed.kept'],
  resources: ['resource.acquired', 'resource.released'],
  'a deadline, a signal, a surprise': ['deadline.expired', 'operator.signalled', 'event.unexpected'],
};

describe('the vocabulary', () => {
  test.each(TYPES)('%s is named by a noun and a past participle', (type) => {
    const [noun, verb, ...rest] = type.split('.');
    expect(rest).toEqual([]);
    expect(noun).toMatch(/^[a-z]+$/);
    expect(IRREGULAR.includes(verb ?? '') || /^[a-z]+ed$/.test(verb ?? '')).toBe(true);
  });

  test.each(Object.entries(FACTS))('has words for: %s', (_, types) => {
    for (const type of types) expect(TYPES).toContain(type);
  });

  test('loses no event where its parts are put together', () => {
    const parts = [testbedSchemas, backendSchemas, resourceSchemas, connectionSchemas, rebootSchemas];
    const more = [commandSchemas, copySchemas, runSchemas, surroundingSchemas];
    const all = [...parts, ...more].flatMap((part) => Object.keys(part));
    expect(all.toSorted()).toEqual([...new Set(all)].toSorted());
    expect(all.toSorted()).toEqual(TYPES.toSorted());
  });

  test('is what the machines hear: no alphabet names an event that does not exist', () => {
    for (const { alphabet } of Object.values(MACHINES)) {
      for (const type of alphabet) expect(TYPES).toContain(type);
    }
  });
});

describe('how a connection was lost', () => {
  test('is told apart, each way with a cause of its own', () => {
    const ways = lossSchema.options;
    for (const how of ['closed', 'reset', 'silent', 'refused'] as const) expect(ways).toContain(how);
    expect(new Set(ways.map(classOfLoss)).size).toBe(ways.length);
  });

  test.each<[Loss, CauseClass]>([
    ['refused', 'connection-refused'],
    ['unreachable', 'connection-unreachable'],
    ['closed', 'connection-closed'],
    ['reset', 'connection-reset'],
    ['silent', 'connection-silent'],
    ['protocol', 'protocol-error'],
    ['local', 'internal-error'],
  ])('%s is %s', (how, causeClass) => {
    expect(classOfLoss(how)).toBe(causeClass);
  });
});

describe('the exit code of a cause', () => {
  const TESTS = ['test-failed', 'test-wrote-stderr', 'test-timed-out', 'test-signalled'];
  const OWN = [
    'internal-error',
    'host-disk-full',
    'operator-interrupted',
    'runner-killed',
    'wrong-usage',
    'setup-failed',
    'replay-diverged',
    'teardown-failed',
  ];

  test.each(causeClassSchema.options)('%s has one of autopkgtest', (causeClass) => {
    const expected = TESTS.includes(causeClass)
      ? 4
      : causeClass === 'bad-package'
        ? 12
        : OWN.includes(causeClass)
          ? 20
          : 16;
    expect(exitCodeOf(causeClass)).toBe(expected);
  });
});
