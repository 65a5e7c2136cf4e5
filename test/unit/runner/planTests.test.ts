import { describe, expect, it } from 'vitest';
import { parseTestControl } from '../../../src/runner/control/testControl.ts';
import { type PlanContext, planTests } from '../../../src/runner/plan/planTests.ts';

const context: PlanContext = {
  capabilities: [],
  architecture: 'amd64',
  internet: true,
  ignoreRestrictions: [],
  only: [],
  without: [],
};

const plan = (text: string, given: Partial<PlanContext> = {}) =>
  planTests(parseTestControl(text), { ...context, ...given }).map(({ id, skip }) => [id, skip]);

const restricted = (restrictions: string, given: Partial<PlanContext> = {}) =>
  plan(`Tests: t\nRestrictions: ${restrictions}\n`, given)[0]?.[1];

describe('a test is skipped for what the testbed lacks', () => {
  it.each([
    ['needs-root', 'Test restriction "needs-root" requires testbed capability "root-on-testbed"'],
    ['needs-reboot', 'Test restriction "needs-reboot" requires testbed capability "reboot"'],
    ['breaks-testbed', 'Test restriction "breaks-testbed" requires testbed capability "revert-full-system"'],
    ['isolation-machine', 'Test restriction "isolation-machine" requires testbed capability "isolation-machine"'],
    [
      'isolation-container',
      'Test restriction "isolation-container" requires testbed capability "isolation-container" and/or "isolation-machine"',
    ],
    ['allow-stderr, no-such-thing', 'unknown restriction no-such-thing'],
    ['hint-testsuite-triggers', 'unknown restriction hint-testsuite-triggers'],
  ])('%s', (restrictions, reason) => expect(restricted(restrictions)).toBe(reason));

  it('unless the restriction is to be ignored', () => {
    expect(restricted('needs-root no-such-thing', { ignoreRestrictions: ['needs-root', 'no-such-thing'] })).toBeNull();
  });

  it('needs-internet only where the internet is not to be had', () => {
    expect(restricted('needs-internet')).toBeNull();
    expect(restricted('needs-internet', { internet: false })).toBe(
      'Test restriction "needs-internet" requires testbed capability "has_internet"',
    );
  });
});

describe('a test runs where the testbed has what it takes', () => {
  it.each([
    ['needs-root', ['root-on-testbed']],
    ['needs-reboot', ['reboot']],
    ['breaks-testbed', ['revert', 'revert-full-system']],
    ['isolation-container', ['isolation-container']],
    ['isolation-container', ['isolation-machine']],
    ['isolation-machine', ['isolation-machine']],
    ['allow-stderr flaky skippable superficial rw-build-tree skip-not-installable skip-foreign-architecture', []],
  ] as const)('%s', (restrictions, capabilities) =>
    expect(restricted(restrictions, { capabilities: [...capabilities] })).toBeNull(),
  );

  it('build-needed: it is built before', () => expect(restricted('build-needed')).toBeNull());
});

describe('a test is skipped for what its stanza says', () => {
  it('an unknown field, before all else', () => {
    expect(plan('Tests: t\nFoo-Bar: x\nArchitecture: arm64\n')).toEqual([['t', 'unknown field Foo-bar']]);
  });

  it('another architecture, where the testbed tells its own', () => {
    expect(plan('Tests: t\nArchitecture: !amd64\n')).toEqual([
      ['t', 'Test declares architecture as not supported: amd64'],
    ]);
    expect(plan('Tests: t\nArchitecture: !amd64\n', { architecture: null })).toEqual([['t', null]]);
  });

  it('another architecture than the testbed has, where it says so', () => {
    const text = 'Tests: t\nRestrictions: skip-foreign-architecture\n';
    expect(plan(text)).toEqual([['t', null]]);
    expect(plan(text, { architecture: 'i386', foreign: true })).toEqual([
      ['t', 'test arch is foreign and skip-foreign-architecture set'],
    ]);
  });

  it('a name that is a path', () => {
    expect(plan('Tests: a/b ..\n')).toEqual([
      ['a/b', 'test name may not contain / character'],
      ['..', 'test name may not be . or ..'],
    ]);
  });

  it('a name that is too long for the names of its files', () => {
    const fits = 'é'.repeat(120);
    expect(plan(`Tests: ${fits} ${fits}x\n`)).toEqual([
      [fits, null],
      [`${fits}x`, 'test name may not have more than 240 bytes'],
    ]);
  });
});

describe('the plan', () => {
  const text = 'Tests: a b c\n\nTests: b\nFoo: x\n';

  it('holds only what was asked for', () => {
    expect(plan(text, { only: ['b', 'zz'] })).toEqual([
      ['b', null],
      ['b#2', 'unknown field Foo'],
    ]);
    expect(plan('Tests: a b c\n', { without: ['b'] })).toEqual([
      ['a', null],
      ['c', null],
    ]);
  });

  it('holds what was to be left out where it could not have run', () => {
    expect(plan(text, { without: ['b'] })).toEqual([
      ['a', null],
      ['c', null],
      ['b', 'unknown field Foo'],
    ]);
  });
});
