import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { renderBackend, renderBackends } from '../../../src/cli/actions/backends.ts';
import { renderReaped } from '../../../src/cli/actions/reap.ts';
import { renderReplay } from '../../../src/cli/actions/replay.ts';
import { readable } from '../../../src/cli/live/debugLog.ts';
import { endLine, renderEnd } from '../../../src/cli/live/endBlock.ts';
import type { Cause } from '../../../src/events/index.ts';
import type { Explanation, ReapedRun } from '../../../src/trace/index.ts';

const plain = picocolors.createColors(false);
const home = { run: '00c0ffee00', directory: '/state/trundle/runs/00c0ffee00', argument: '00c0ffee00' };

const lost: Cause = {
  class: 'connection-reset',
  phase: 'exec',
  doing: 'running command tb1.x3',
  detail: 'read ECONNRESET',
  evidence: [12],
};

function told(of: Partial<Explanation>): Explanation {
  return {
    run: home.run,
    trace: home.directory,
    started: '2026-01-02T03:04:05.000Z',
    trundle: '0.1.0',
    sources: [],
    backend: ['ssh'],
    exitCode: 16,
    tests: [],
    cause: lost,
    meaning: null,
    evidence: [],
    interrupted: null,
    kept: [],
    left: [],
    next: [],
    truncated: false,
    damage: [],
    events: 20,
    ...of,
  };
}

function testRecord(name: string, outcome: 'pass' | 'fail') {
  return {
    test: name,
    restrictions: [],
    superficial: false,
    command: null,
    result: null,
    outcome,
    reason: '',
    took: null,
  };
}

describe('the last line about a run in which nothing failed', () => {
  const LONG = 'trundle: the trace is in /state/trundle/runs/00c0ffee00; trundle explain 00c0ffee00 tells it';

  test('says where the trace is and what tells it', () => {
    expect(endLine(home, {}, plain)).toBe(`${LONG}\n`);
    expect(endLine(home, { isTTY: true, columns: LONG.length }, plain)).toBe(`${LONG}\n`);
  });

  test('is as long as the terminal is wide, or not there', () => {
    const short = 'trundle: trundle explain 00c0ffee00 tells how it went\n';
    expect(endLine(home, { isTTY: true, columns: LONG.length - 1 }, plain)).toBe(short);
    expect(endLine(home, { isTTY: true, columns: 30 }, plain)).toBe('');
  });
});

describe('the last words about a failed run', () => {
  test('say what failed, what proves it, where the trace is, and how to look further', () => {
    const evidence = [{ seq: 12, at: 4321, testbed: 'tb1', text: 'connection tb1.c1 was reset: read ECONNRESET' }];
    expect(renderEnd({ exitCode: 16, cause: lost, home, settled: false }, told({ evidence }), plain)).toBe(
      [
        'trundle: exit code 16. The connection was cut off in the middle.',
        '  while    running command tb1.x3',
        '  proof    4.321 s  tb1: connection tb1.c1 was reset: read ECONNRESET',
        '  trace    /state/trundle/runs/00c0ffee00',
        '  more     trundle explain 00c0ffee00',
        '',
      ].join('\n'),
    );
  });

  test('give the detail where no proof holds it, on one line', () => {
    const cause = { ...lost, detail: 'first\n  second\u001b[2J' };
    expect(renderEnd({ exitCode: 16, cause, home, settled: false }, told({}), plain)).toContain(
      '  while    running command tb1.x3: first; second [2J\n',
    );
  });

  test('count the tests that failed', () => {
    const tests = [testRecord('a', 'fail'), testRecord('b', 'pass'), testRecord('c', 'fail')];
    expect(
      renderEnd({ exitCode: 4, cause: null, home, settled: false }, told({ cause: null, tests }), plain),
    ).toContain('trundle: exit code 4. 2 of 3 tests failed: a, c.\n');
  });

  test('say what exit code 8 means, which has no cause', () => {
    expect(renderEnd({ exitCode: 8, cause: null, home, settled: false }, null, plain)).toContain(
      'exit code 8. No test said anything about the package.',
    );
  });

  test('name what is left behind, and how to remove it', () => {
    const left = [
      { resource: 'tb1.r1', kind: 'directory', name: '/tmp/a b', command: "rm -rf -- '/tmp/a b'" },
      { resource: 'tb1.r2', kind: 'port', name: '22', command: null },
    ];
    const text = renderEnd({ exitCode: 20, cause: lost, home, settled: false }, told({ left }), plain);
    expect(text).toContain(
      "  left     directory '/tmp/a b'; this removes it: rm -rf -- '/tmp/a b'\n  left     port 22\n",
    );
    expect(text).toContain('           trundle reap 00c0ffee00\n');
  });

  test('name nothing that the run saw go, where the trace ends before', () => {
    const left = [{ resource: 'tb1.r1', kind: 'directory', name: '/tmp/a', command: 'rm -rf -- /tmp/a' }];
    const text = renderEnd({ exitCode: 20, cause: lost, home, settled: true }, told({ left }), plain);
    expect(text).not.toMatch(/left|reap/);
  });

  test('do without the trace where it cannot be read', () => {
    expect(renderEnd({ exitCode: 16, cause: lost, home, settled: false }, null, plain)).toContain(
      '  while    running command tb1.x3: read ECONNRESET\n',
    );
  });
});

describe('a replay in words', () => {
  test('that found no difference', () => {
    expect(
      renderReplay('r1', {
        same: true,
        events: 9,
        decisions: 7,
        verdict: { exitCode: 0, cause: null },
        damage: [],
      }),
    ).toBe('Run r1: the same (9 events, 7 decisions), to the same verdict: exit code 0.\n');
  });

  test('of a trace without an end', () => {
    expect(renderReplay('r1', { same: true, events: 9, decisions: 7, verdict: null, damage: [] })).toBe(
      'Run r1: the same as far as it goes (9 events, 7 decisions). The trace has no verdict: the run was cut off.\n',
    );
  });

  test('that found one', () => {
    const recorded = { d: 4, m: 'run:run', s: 'running' };
    expect(renderReplay('r1', { same: false, at: 4, machine: 'run:run', recorded, now: null })).toBe(
      'Run r1: different at event 4, machine run:run.\n  recorded  {"d":4,"m":"run:run","s":"running"}\n  now       nothing\n',
    );
  });
});

describe('what became of dead runs, in words', () => {
  const reaped = (of: Partial<ReapedRun>): ReapedRun => ({
    run: 'r1',
    trace: '/t',
    outcome: 'clean',
    released: [],
    gone: [],
    kept: [],
    left: [],
    concluded: false,
    problem: null,
    ...of,
  });

  test('says of what stays on purpose how to get in, and what removes it', () => {
    const run = reaped({ outcome: 'kept', kept: [{ testbed: 'tb1', enter: ['podman', 'exec', '-it', 'x', 'sh'] }] });
    expect(renderReaped([run], false)).toBe(
      'Run r1: has ended, and keeps what it was told to keep; left alone.\n' +
        '  kept     testbed tb1: podman exec -it x sh gets in; trundle reap r1 removes it\n',
    );
  });

  test('names what was removed and what was not', () => {
    const run = reaped({
      outcome: 'finished',
      concluded: true,
      released: [{ resource: 'tb1.r1', kind: 'directory', name: '/tmp/x' }],
      gone: [{ resource: 'tb1.r3', kind: 'session', name: 'mine', reason: 'it has been ended' }],
      left: [{ resource: 'tb1.r2', kind: 'mount', name: '/mnt/y', reason: 'busy', command: 'umount -- /mnt/y' }],
    });
    expect(renderReaped([run], false)).toBe(
      [
        'Run r1: finished. Its trace now says that it was killed.',
        '  removed  directory /tmp/x',
        '  gone     session mine was gone already: it has been ended',
        '  left     mount /mnt/y: busy; this removes it: umount -- /mnt/y',
        '',
      ].join('\n'),
    );
  });

  test('keeps to the news, unless runs were asked for by name', () => {
    const runs = [reaped({}), reaped({ run: 'r2', outcome: 'alive' }), reaped({ run: 'r3', outcome: 'alive' })];
    expect(renderReaped(runs, false)).toBe('2 runs are still going and left alone.\n');
    expect(renderReaped(runs, true)).toBe(
      'Run r1: has ended and left nothing.\nRun r2: is still going; left alone.\nRun r3: is still going; left alone.\n',
    );
    expect(renderReaped([reaped({})], false)).toBe('Nothing to reap.\n');
  });

  test.each([
    ['elsewhere', 'on another host or in another container'],
    ['busy', 'is being reaped by another process'],
    ['unreadable', 'cannot be reaped: the first line is no JSON'],
  ] as const)('says what %s means', (outcome, words) => {
    expect(renderReaped([reaped({ outcome, problem: 'the first line is no JSON' })], false)).toContain(words);
  });
});

describe('backends in words', () => {
  const help = 'Usage: qemu [options] [image]\n\na virtual machine\n\nOptions:\n  --ram <n>  memory\n';
  const missing = {
    available: false,
    missing: 'no qemu-system-x86_64',
    remedy: 'apt-get install qemu-system-x86',
  } as const;

  test('are listed with what this machine lacks for them', () => {
    const listings = [
      { name: 'null', summary: 'this machine', availability: { available: true }, help: '' } as const,
      { name: 'qemu', summary: 'a virtual machine', availability: missing, help },
    ];
    expect(renderBackends(listings, plain)).toBe(
      [
        'null  this machine',
        '      ready',
        'qemu  a virtual machine',
        '      not ready: no qemu-system-x86_64',
        '      to mend it: apt-get install qemu-system-x86',
        '',
        'The options of a backend: trundle backends NAME. Others come as npm packages',
        'named trundle-backend-NAME, or by path.',
        '',
      ].join('\n'),
    );
  });

  test('are told one by one with their options', () => {
    expect(renderBackend({ name: 'qemu', summary: '', availability: missing, help }, plain)).toBe(
      [
        'Usage: trundle run SOURCE -- qemu [options] [image]',
        '',
        'a virtual machine',
        '',
        'Options:',
        '  --ram <n>  memory',
        '',
        'On this machine:',
        '  not ready: no qemu-system-x86_64',
        '  to mend it: apt-get install qemu-system-x86',
        '',
      ].join('\n'),
    );
  });
});

test('a line of the debug log is readable on a terminal', () => {
  const line = JSON.stringify({
    level: 20,
    time: 0,
    pid: 1,
    msg: 'command.exited',
    status: 3,
    command: 'tb1.x1',
    why: 'a b',
  });
  expect(readable(line)).toMatch(/^\d\d:\d\d:00\.000 command\.exited status=3 command=tb1\.x1 why="a b"\n$/);
});
