import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chartOf } from '../../../src/diagrams/index.ts';
import type { ChartPicture } from '../../../src/inspector/contract.ts';
import { factsOf, parseFacts, parsePackages } from '../../../src/inspector/model/facts.ts';
import { nextOf } from '../../../src/inspector/model/failures.ts';
import { lanesOf } from '../../../src/inspector/model/lanes.ts';
import { RunModel } from '../../../src/inspector/model/RunModel.ts';
import { waitingAt } from '../../../src/inspector/model/waiting.ts';
import { MACHINES, type MachineKind } from '../../../src/machines/index.ts';

const TRACES = new URL('../../traces/', import.meta.url);

/** The charts without their pictures: what the model asks of them. */
const CHARTS = (Object.keys(MACHINES) as MachineKind[]).map((kind): ChartPicture => {
  const finals = chartOf(kind).states.filter((state) => state.kind === 'final');
  return { kind, title: '', about: '', width: 0, height: 0, svg: '', boxes: [], finals: finals.map(({ id }) => id) };
});

function model(name: string): RunModel {
  const run = new RunModel(CHARTS);
  run.take(readFileSync(new URL(`${name}/events.jsonl`, TRACES), 'utf8').split('\n'));
  return run;
}

test('every trace of the corpus becomes a model whose machines stand where the last decision says', () => {
  for (const name of readdirSync(TRACES).filter((entry) => entry.startsWith('v'))) {
    const run = model(name);
    expect(run.last).toBeGreaterThan(0);
    for (const track of run.machines.values()) expect(run.stepAt(track, run.last)).toBe(track.steps.at(-1));
  }
});

test('a state counts from its event on, and none before a machine has begun', () => {
  const run = model('v1-lost-connection');
  const track = run.machines.get('connection:tb1.c1');
  if (track === undefined) throw new Error('no such machine');
  expect(run.stepAt(track, 8)).toBeNull();
  expect(run.stepAt(track, 10)?.state).toBe('dialing');
  expect(run.stepAt(track, 54)?.state).toBe('ready');
  expect(run.stepAt(track, 55)?.state).toBe('failed');
  expect(track.ended).toBe(55);
});

test('lanes go from the outermost machine to the innermost, each command with its streams below it', () => {
  const labels = lanesOf(model('v1-failing-test')).map(({ label }) => label);
  expect(labels.slice(0, 4)).toEqual(['run', 'testbed tb1', 'backend tb1', 'connection tb1.c1']);
  expect(labels[labels.indexOf('command tb1.x8') + 1]).toBe('tb1.x8.stdout');
});

test('what a run waits for is told with the deadline that ends it', () => {
  const run = model('v1-timeout');
  const expired = run.events.find((event) => event.type === 'deadline.expired' && event.deadline === 'command');
  const before = waitingAt(run, (expired?.seq ?? 0) - 1);
  expect(before.map(({ deadline, machine }) => `${machine} ${deadline}`)).toContain('command:tb1.x5 command');
  expect(before[0]?.follows).toContain('SIGTERM');
  expect(waitingAt(run, expired?.seq ?? 0).map(({ deadline }) => deadline)).not.toContain('command');
  expect(waitingAt(run, run.last)).toEqual([]);
});

test('the next failure is the nearest, in both directions', () => {
  expect([nextOf([3, 9], 3, 1), nextOf([3, 9], 9, 1), nextOf([3, 9], 9, -1), nextOf([3, 9], 1, -1)]).toEqual([
    9,
    null,
    3,
    null,
  ]);
});

test('facts and packages are read from what the trace holds', () => {
  const rows = Object.fromEntries(factsOf(model('v1-failing-test')));
  expect(rows).toMatchObject({ 'SSH server': 'sshd', Capabilities: 'root-on-testbed' });
  expect(parseFacts('scratch=/tmp/x\narchitecture=amd64\ncpuModel=Example\n')).toEqual([
    ['Architecture', 'amd64'],
    ['Processor', 'Example'],
  ]);
  expect(parsePackages('installed\tlibc6\t2.36-9\tamd64\tsame\t\nconfig-files\told\t1\nbash\t5.2-1\n')).toEqual([
    { name: 'libc6', version: '2.36-9' },
    { name: 'bash', version: '5.2-1' },
  ]);
});

test('packages are those of the last answer that lists any', () => {
  const answers = [
    'scratch=/tmp/x\nready\n',
    'installed\tbash\t5.2-1\tamd64\nanswer 1 0\n',
    'installed\tdash\t0.5-1\tamd64\nanswer 2 0\n',
    'tidy\nanswer 3 0\n',
  ];
  expect(parsePackages(answers.join(''))).toEqual([{ name: 'dash', version: '0.5-1' }]);
  expect(parsePackages(`${answers[0]}${answers[3]}`)).toEqual([]);
});
