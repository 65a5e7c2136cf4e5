import { describe, expect, test } from 'vitest';
import type { Cause, EventDraft } from '../../../src/events/index.ts';
import { causeOf, fold, resourcesLeft, testsOf } from '../../../src/trace/folds.ts';
import { foldStage } from '../../../src/trace/stage.ts';
import { event } from './support/trace.ts';

const TESTBED = { testbed: 'tb1', from: 'runner' } as const;
const CAUSE: Cause = { class: 'testbed-died', phase: 'exec', doing: 'running commands', evidence: [1] };

const REQUESTED: EventDraft = {
  type: 'testbed.requested',
  ...TESTBED,
  backend: 'null',
  deadlines: {},
  maxConnections: 8,
};
const MADE: EventDraft = { type: 'provision.completed', ...TESTBED };
const ANNOUNCED: EventDraft = {
  type: 'endpoint.announced',
  ...TESTBED,
  endpoint: { via: { kind: 'memory', name: 'm' }, server: 'stand-in', login: 'root', hostKeys: [] },
  capabilities: [],
};
const READY: EventDraft = { type: 'testbed.readied', ...TESTBED, generation: 0 };
const REBOOT: EventDraft = { type: 'reboot.requested', ...TESTBED, how: 'guest' };
const TEARDOWN: EventDraft = { type: 'teardown.requested', ...TESTBED, reason: 'done', force: false };
const REMOVED: EventDraft = { type: 'testbed.removed', ...TESTBED, leftovers: [], cause: null };
const COPY: EventDraft = {
  type: 'copy.started',
  ...TESTBED,
  copy: 'tb1.p1',
  direction: 'down',
  source: '/a/',
  target: '/b/',
};
const COPIED: EventDraft = { type: 'copy.completed', ...TESTBED, copy: 'tb1.p1', bytes: 1 };

function requested(command: string, line: string): EventDraft {
  return { type: 'command.requested', ...TESTBED, command, line, login: '', timeout: null, pty: false, sweep: true };
}
function concluded(command: string): EventDraft {
  return {
    type: 'command.concluded',
    ...TESTBED,
    command,
    result: { kind: 'exited', status: 0 },
    leaked: false,
    cause: null,
  };
}
function acquired(resource: string): EventDraft {
  return { type: 'resource.acquired', ...TESTBED, resource, kind: 'file', name: `/x/${resource}` };
}
function traced(...drafts: EventDraft[]) {
  return drafts.map((draft, index) => event(index + 1, draft, (index + 1) * 10));
}

describe('what a trace tells', () => {
  test('which resources are left, in the order in which they were taken', () => {
    const released: EventDraft = { type: 'resource.released', ...TESTBED, resource: 'r2' };
    const lines = [
      ...traced(acquired('r1'), acquired('r2'), acquired('r3'), released),
      { d: 4, m: 'backend:tb1', s: 'up' },
    ];
    expect(resourcesLeft(lines).map(({ resource }) => resource)).toEqual(['r1', 'r3']);
  });

  test('the cause, once the run is concluded', () => {
    const ended: EventDraft = { type: 'run.concluded', testbed: null, from: 'machine', exitCode: 16, cause: CAUSE };
    expect(causeOf(traced({ type: 'testbed.failed', ...TESTBED, cause: CAUSE }))).toBeNull();
    expect(causeOf(traced(ended))).toEqual(CAUSE);
  });

  test('its tests, with what became of them', () => {
    const lines = traced(
      { type: 'test.planned', ...TESTBED, test: 'a', restrictions: ['flaky'], superficial: false },
      { type: 'test.planned', ...TESTBED, test: 'b', restrictions: [], superficial: true },
      { type: 'test.started', ...TESTBED, test: 'a', command: 'debian/tests/a' },
      {
        type: 'test.finished',
        ...TESTBED,
        test: 'a',
        result: { kind: 'exited', status: 1 },
        stderrBytes: 0,
        stderrLine: '',
        leaked: false,
        cause: null,
      },
      { type: 'test.judged', ...TESTBED, test: 'a', outcome: 'flaky', reason: 'non-zero exit status 1' },
    );
    expect(testsOf(lines)).toEqual([
      {
        test: 'a',
        restrictions: ['flaky'],
        superficial: false,
        command: 'debian/tests/a',
        result: { kind: 'exited', status: 1 },
        outcome: 'flaky',
        reason: 'non-zero exit status 1',
        took: 10,
      },
      {
        test: 'b',
        restrictions: [],
        superficial: true,
        command: null,
        result: null,
        outcome: null,
        reason: '',
        took: null,
      },
    ]);
  });

  test.each<[string, EventDraft[], string, string]>([
    ['nothing', [], 'plan', 'preparing the run'],
    ['a wish', [REQUESTED], 'provision', 'making the testbed'],
    ['a made testbed', [REQUESTED, MADE], 'boot', 'starting the testbed'],
    ['an endpoint', [REQUESTED, MADE, ANNOUNCED], 'ssh-ready', 'connecting to the testbed'],
    ['a ready testbed', [REQUESTED, MADE, ANNOUNCED, READY], 'exec', 'running commands'],
    ['a command', [REQUESTED, MADE, ANNOUNCED, READY, requested('x1', 'make check')], 'exec', 'running make check'],
    ['a command that has ended', [READY, requested('x1', 'make check'), concluded('x1')], 'exec', 'running commands'],
    ['the copy, not the command that does it', [READY, COPY, requested('x1', 'tar')], 'copy', 'copying /a/ to /b/'],
    ['a copy that has ended', [READY, COPY, COPIED], 'exec', 'running commands'],
    ['a reboot', [MADE, ANNOUNCED, READY, requested('x1', 'make check'), REBOOT], 'reboot', 'rebooting the testbed'],
    [
      'a reboot that has come to a new endpoint',
      [MADE, ANNOUNCED, READY, REBOOT, ANNOUNCED],
      'reboot',
      'rebooting the testbed',
    ],
    ['a teardown', [READY, requested('x1', 'make check'), TEARDOWN], 'teardown', 'taking the testbed down'],
    ['a testbed that is gone', [READY, TEARDOWN, REMOVED], 'teardown', 'ending the run'],
    ['the next testbed', [READY, TEARDOWN, REMOVED, REQUESTED], 'provision', 'making the testbed'],
  ])('where the run was: after %s', (_, drafts, phase, doing) => {
    expect(fold(traced(...drafts), foldStage())).toMatchObject({ phase, doing });
  });
});
