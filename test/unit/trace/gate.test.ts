import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TrundleEvent } from '../../../src/events/index.ts';
import { createMachines, type Machines } from '../../../src/machines/index.ts';
import { expectationOf, gate, tracesBelow } from '../../../src/trace/gate.ts';
import { temporaryDirectory } from './support/trace.ts';

const CORPUS = join(import.meta.dirname, '../../traces');

test('all recorded traces come to the verdicts beside them', async () => {
  const traces = tracesBelow(CORPUS);
  const begun = performance.now();
  const results = [];
  for (const trace of traces) results.push(await gate(trace, { createMachines }));
  const events = results.reduce((sum, { replay }) => sum + (replay?.same === true ? replay.events : 0), 0);
  process.stdout.write(
    `replayed ${traces.length} traces, ${events} events, in ${((performance.now() - begun) / 1000).toFixed(1)} s\n`,
  );
  expect(results.filter(({ problem }) => problem !== null)).toEqual([]);
  expect(results.filter(({ expected }) => expected === null)).toEqual([]);
});

test('a verdict that changed, and a machine that decides otherwise, are told with both answers', async () => {
  const place = temporaryDirectory();
  cpSync(join(CORPUS, 'v2-stderr'), join(place, 'one'), { recursive: true });
  const expected = { exitCode: 0, cause: null };
  writeFileSync(join(place, 'expected.json'), JSON.stringify({ one: expected }));
  const changed = await gate(join(place, 'one'), { createMachines });
  expect(changed.problem).toMatch(/^it comes to exit code 4, test-wrote-stderr, .*; expected was exit code 0$/);
  expect(expectationOf(changed)).toEqual({
    exitCode: 4,
    cause: { class: 'test-wrote-stderr', phase: 'exec', doing: 'running test talks' },
  });
  const deaf = () => {
    const machines = createMachines();
    return {
      ...machines,
      accept: (event: Parameters<typeof machines.accept>[0]) =>
        event.type === 'auth.accepted' ? { facts: [], decisions: [] } : machines.accept(event),
    };
  };
  const other = await gate(join(place, 'one'), { createMachines: deaf });
  expect(other).toMatchObject({ problem: "today's machines decide otherwise", replay: { same: false, now: null } });
});

test('machines that are meant to go another way are held to the verdict alone', async () => {
  const place = temporaryDirectory();
  cpSync(join(CORPUS, 'v1-stderr'), join(place, 'one'), { recursive: true });
  const { 'v1-stderr': ending } = JSON.parse(readFileSync(join(CORPUS, 'expected.json'), 'utf8'));
  const gateWith = (expected: object, mutate: typeof createMachines) => {
    writeFileSync(join(place, 'expected.json'), JSON.stringify({ one: expected }));
    return gate(join(place, 'one'), { createMachines: mutate });
  };
  const mutated = (mutate: (accepted: ReturnType<Machines['accept']>) => ReturnType<Machines['accept']>) => () => {
    const machines = createMachines();
    return { ...machines, accept: (event: TrundleEvent) => mutate(machines.accept(event)) };
  };
  const excused = { ...ending, otherwise: 'states have longer names' };
  const renamed = mutated(({ facts, decisions }) => ({
    facts,
    decisions: decisions.map((decision) => ({ ...decision, state: `${decision.state}-now` })),
  }));
  expect(await gateWith(ending, renamed)).toMatchObject({ problem: "today's machines decide otherwise" });
  expect(await gateWith(excused, renamed)).toMatchObject({ problem: null, replay: { same: false } });
  expect(await gateWith(excused, createMachines)).toMatchObject({
    problem: expect.stringContaining('take "otherwise"'),
  });
  const lenient = mutated(({ facts, decisions }) => ({
    facts: facts.map((fact) => (fact.type === 'run.concluded' ? { ...fact, exitCode: 0, cause: null } : fact)),
    decisions,
  }));
  expect(await gateWith(excused, lenient)).toMatchObject({
    problem: expect.stringMatching(/^it comes to exit code 0; expected was exit code 4, test-wrote-stderr/),
  });
});

test('a trace that cannot be read does not end the others', async () => {
  const place = temporaryDirectory();
  writeFileSync(
    join(place, 'events.jsonl'),
    '{"trundle":"9.0.0","format":99,"run":"r","started":"2030-01-01T00:00:00Z","owner":{}}\n',
  );
  expect(await gate(place, { createMachines })).toMatchObject({ replay: null, problem: expect.stringContaining('99') });
});
