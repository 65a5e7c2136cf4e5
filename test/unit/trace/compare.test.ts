import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { align } from '../../../src/trace/compare/align.ts';
import { compare } from '../../../src/trace/compare/compare.ts';
import type { Comparison } from '../../../src/trace/compare/contract.ts';
import { neutralLine } from '../../../src/trace/compare/neutral.ts';
import { renderComparison } from '../../../src/trace/compare/renderComparison.ts';
import { answeredLists } from '../../../src/trace/compare/surroundings.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { createRecorder } from '../../../src/trace/recorder.ts';
import { type Script, scriptedRun } from '../../support/scriptedRun.ts';
import { HEADER, ManualClock, printed, temporaryDirectory } from './support/trace.ts';

const CORPUS = join(import.meta.dirname, '../../traces');

function recorded(run: string, script: Partial<Script> = {}, console: readonly string[] = []): string {
  const directory = join(temporaryDirectory(), 'trace');
  const header = { ...HEADER, run };
  const recorder = createRecorder({ directory, header, clock: new ManualClock(), onError: () => {} });
  scriptedRun({ recorder, clock: new ManualClock(), ...script });
  let seq = recorder.counts.events;
  for (const line of console) recorder.event(printed(++seq, line));
  recorder.close();
  return directory;
}

async function compared(good: string, bad: string): Promise<Comparison> {
  return await compare(await readTrace(good), await readTrace(bad));
}

describe('a comparison', () => {
  test('of two runs that went the same way finds no parting', async () => {
    const comparison = await compared(recorded('a1', { commands: 3 }), recorded('b2', { commands: 3 }));
    expect(comparison).toMatchObject({ parted: null, partings: [], tests: [], environment: [] });
    expect(renderComparison(comparison)).toContain('They never part');
  });

  test('names the step at which they part, in both, and the last that they share', async () => {
    const comparison = await compared(recorded('a1', { commands: 2 }), recorded('b2', { commands: 2, lost: true }));
    expect(comparison.parted).toMatchObject({
      lane: 'command:tb1.x2',
      last: { bad: { type: 'command.started' } },
      good: [{ type: 'command.exited' }, { type: 'command.closed' }, {}, {}],
      bad: [{ type: 'command.lost', state: 'concluded' }, { type: 'command.concluded' }],
    });
    expect(comparison.tests).toEqual([{ test: 't2', good: { outcome: 'pass', reason: '' }, bad: null }]);
    expect(renderComparison(comparison)).toMatch(/They part first at this:\n {2}command tb1\.x2 \(debian\/tests\/t2\)/);
  });

  test('of a run that was cut off says what it did not come to', async () => {
    const good = recorded('a1');
    const bad = join(temporaryDirectory(), 'cut');
    cpSync(good, bad, { recursive: true });
    const file = join(bad, 'events.jsonl');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, text.indexOf('"command.exited"') + 30));
    const comparison = await compared(good, bad);
    expect(comparison.bad).toMatchObject({ exitCode: null, truncated: true });
    expect(comparison.parted).toMatchObject({ bad: [], good: [{ type: 'command.exited' }, {}, {}, {}] });
  });

  test('tells which lines only one console printed, whatever the time before them', async () => {
    const good = recorded('a1', {}, ['[    1.000001] eth0: link up', 'login:']);
    const bad = recorded('b2', {}, ['[    3.141592] eth0: link up', '[    3.2] Out of memory: Killed process 77']);
    const { console } = await compared(good, bad);
    expect(console.good.only).toMatchObject([{ line: 'login:' }]);
    expect(console.bad.only).toMatchObject([{ line: '[    3.2] Out of memory: Killed process 77' }]);
  });

  test('of real runs finds the deadline that one ran into, and what surrounds them', async () => {
    const { parted, timing } = await compared(join(CORPUS, 'v1-pass'), join(CORPUS, 'v1-timeout'));
    expect(parted?.lane).toBe('run:run');
    expect(timing.map(({ span }) => span)).toEqual(
      expect.arrayContaining(['connecting', 'taking it down', 'the whole run']),
    );
    const ssh = await compared(join(CORPUS, 'v1-pass'), join(CORPUS, 'v1-lost-connection'));
    expect(ssh.environment).toContainEqual({ name: 'SSH server', good: 'stand-in', bad: 'sshd' });
  });

  test('can be made a document of', async () => {
    const comparison = await compared(join(CORPUS, 'v1-pass'), join(CORPUS, 'v1-stderr'));
    expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
  });
});

test('lists of packages are found among the answers of who holds the scratch directory', () => {
  const list = 'installed\tbash\t5.2-1\tamd64\n';
  expect(answeredLists(`scratch=/tmp/x\nready\n${list}answer 1 0\ntidy\nanswer 2 0\n`)).toEqual([
    `scratch=/tmp/x\nready\n${list}`,
  ]);
  expect(answeredLists('scratch=/tmp/x\nready\ntidy\nanswer 1 0\n')).toEqual([]);
});

test('alignment finds what two lists share, in order', () => {
  expect(align([...'abcxdef'], [...'abydef'])).toEqual(
    [...'abdef'].map((c) => ['abcxdef'.indexOf(c), 'abydef'.indexOf(c)]),
  );
  expect(align([], ['a'])).toEqual([]);
});

test.each([
  ['[    0.123456] Linux version 6.1', 'Linux version 6.1'],
  ['Nov 27 01:02:03 host sshd[123]: Server listening', 'host sshd[N]: Server listening'],
  ['Startup finished in 1.234s', 'Startup finished in N s'],
])('of a console line %j remains %j', (line, rest) => {
  expect(neutralLine(line, 'r1')).toBe(rest);
});
