import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Decision, EventDraft, TrundleEvent } from '../../../src/events/index.ts';
import { createMachines } from '../../../src/machines/index.ts';
import type { TraceLine } from '../../../src/trace/contract.ts';
import { isEvent } from '../../../src/trace/folds.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { createRecorder } from '../../../src/trace/recorder.ts';
import { type Replay, replay } from '../../../src/trace/replay.ts';
import { type Script, scriptedRun } from '../../support/scriptedRun.ts';
import { event, HEADER, ManualClock, temporaryDirectory } from './support/trace.ts';

/** Records a run and gives its lines after the header. */
function recorded(script: Partial<Script> = {}): { directory: string; lines: TraceLine[] } {
  const directory = join(temporaryDirectory(), 'trace');
  const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
  scriptedRun({ recorder, clock: new ManualClock(), ...script });
  recorder.close();
  const texts = readFileSync(join(directory, 'events.jsonl'), 'utf8').trimEnd().split('\n').slice(1);
  return { directory, lines: texts.map((text) => JSON.parse(text)) };
}

async function replayed(lines: readonly TraceLine[], machines = createMachines): Promise<Replay> {
  const file = join(temporaryDirectory(), 'events.jsonl');
  writeFileSync(file, [HEADER, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return await replay(await readTrace(file), { createMachines: machines });
}

/** Today's machines, but for what `change` does to their reactions. */
function changed(change: (event: TrundleEvent, facts: EventDraft[], decisions: Decision[]) => void) {
  return () => {
    const machines = createMachines();
    return {
      ...machines,
      accept(each: TrundleEvent) {
        const { facts, decisions } = machines.accept(each);
        const reaction = { facts: [...facts], decisions: [...decisions] };
        change(each, reaction.facts, reaction.decisions);
        return reaction;
      },
    };
  };
}

describe('a replay', () => {
  test.each<[string, Partial<Script>, number]>([
    ['a run that passed', {}, 0],
    ['a run that failed', { status: 1 }, 4],
    ['a run of several tests', { commands: 20, chunks: 5 }, 0],
    ['a run that lost its testbed', { commands: 2, lost: true }, 16],
  ])('of %s comes to the same states, commands and verdict', async (_, script, exitCode) => {
    const { directory, lines } = recorded(script);
    const result = await replay(await readTrace(directory), { createMachines });
    const events = lines.filter(isEvent).length;
    expect(result).toMatchObject({ same: true, events, decisions: lines.length - events, verdict: { exitCode } });
  });

  test('of a trace that ends at any line goes as far as that', async () => {
    const { lines } = recorded({ commands: 2 });
    for (let length = 0; length < lines.length; length++) {
      expect(await replayed(lines.slice(0, length))).toMatchObject({ same: true, verdict: null });
    }
  });

  test('leaves out what reap added to the trace of a killed run', async () => {
    const { lines } = recorded();
    const cut = lines.slice(0, 40);
    const seq = cut.filter(isEvent).length;
    const cause = { class: 'runner-killed' as const, phase: 'exec' as const, doing: 'running', evidence: [] };
    const reaped = [
      event(seq + 1, { type: 'resource.released', testbed: 'tb1', from: 'operator', resource: 'tb1.r1' }),
      event(seq + 2, { type: 'run.concluded', testbed: null, from: 'operator', exitCode: 20, cause }),
    ];
    expect(await replayed([...cut, ...reaped])).toEqual({
      same: true,
      damage: [],
      events: seq + 2,
      decisions: cut.length - seq,
      verdict: { exitCode: 20, cause },
    });
  });

  test('names the first decision that differs, with the machine, and both sides', async () => {
    const { lines } = recorded();
    const index = lines.findIndex((line) => !isEvent(line) && line.m === 'connection:tb1.c1' && line.s === 'ready');
    const original = lines[index] as Exclude<TraceLine, TrundleEvent>;
    const doctored = lines.with(index, { ...original, s: 'waiting' });
    expect(await replayed(doctored)).toEqual({
      same: false,
      at: original.d,
      machine: 'connection:tb1.c1',
      recorded: { ...original, s: 'waiting' },
      now: original,
    });
  });

  test('notices a command that differs in one number', async () => {
    const { lines } = recorded();
    const text = JSON.stringify(lines).replace('"ms":10000', '"ms":10001');
    expect(await replayed(JSON.parse(text))).toMatchObject({ same: false });
  });

  test('notices a fact that differs', async () => {
    const { lines } = recorded({ status: 1 });
    const text = JSON.stringify(lines).replace('"outcome":"fail"', '"outcome":"flaky"');
    const at = lines.filter(isEvent).find((line) => line.type === 'test.judged')?.seq;
    expect(await replayed(JSON.parse(text))).toMatchObject({
      same: false,
      at,
      machine: null,
      recorded: { type: 'test.judged', outcome: 'flaky' },
      now: { type: 'test.judged', outcome: 'fail' },
    });
  });

  test('notices what the machines no longer do', async () => {
    const { lines } = recorded();
    const deaf = changed((each, _, decisions) => each.type === 'auth.accepted' && decisions.splice(0));
    expect(await replayed(lines, deaf)).toMatchObject({ same: false, machine: 'connection:tb1.c1', now: null });
    const mute = changed((each, facts) => each.type === 'test.finished' && facts.splice(0));
    expect(await replayed(lines, mute)).toMatchObject({ same: false, recorded: { type: 'test.judged' } });
  });

  test('notices what the machines did not do then', async () => {
    const { lines } = recorded();
    const decision = { machine: 'run:run', state: 'confused', commands: [] };
    const busy = changed(
      (each, _, decisions) => each.type === 'test.started' && decisions.push({ seq: each.seq, ...decision }),
    );
    expect(await replayed(lines, busy)).toMatchObject({ same: false, machine: 'run:run', now: { s: 'confused' } });
    const extra: EventDraft = { type: 'run.finished', testbed: null, from: 'machine' };
    const chatty = changed((each, facts) => each.type === 'run.concluded' && facts.push(extra));
    expect(await replayed(lines, chatty)).toMatchObject({ same: false, recorded: null, now: extra });
  });

  test('says where a machine fails', async () => {
    const { lines } = recorded();
    const broken = changed((each) => {
      if (each.type === 'auth.accepted') throw new Error('a bug');
    });
    expect(await replayed(lines, broken)).toMatchObject({
      same: false,
      recorded: { type: 'auth.accepted' },
      now: { error: 'a bug' },
    });
  });
});
