import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Finder } from '../../../src/inspector/model/filter.ts';
import { RunModel } from '../../../src/inspector/model/RunModel.ts';
import { describeEvent } from '../../../src/trace/index.ts';

const LINES = readFileSync(new URL('../../traces/v1-lost-connection/events.jsonl', import.meta.url), 'utf8').split(
  '\n',
);

function finder(copies = 1): { model: RunModel; find: (text: string) => number[] | null } {
  const model = new RunModel([]);
  for (let copy = 0; copy < copies; copy++) model.take(LINES);
  const found = new Finder(model, describeEvent);
  return { model, find: (text) => (found.find(text) === null ? null : [...(found.find(text) ?? [])]) };
}

test('an empty filter lets everything through', () => {
  expect(finder().find('  ')).toBeNull();
});

test('every word has to stand in the sentence or the payload', () => {
  const { model, find } = finder();
  const seqs = find('TB1.C1 closed');
  expect(seqs?.length).toBeGreaterThan(0);
  for (const seq of seqs ?? []) {
    const event = model.event(seq);
    const text = event === null ? '' : `${describeEvent(event)} ${JSON.stringify(event)}`.toLowerCase();
    expect(text).toContain('tb1.c1');
    expect(text).toContain('closed');
  }
});

test('a type, an origin and a machine can be asked for, with stars', () => {
  const { model, find } = finder();
  expect(find('type:connection.*')?.map((seq) => model.event(seq)?.type)).toEqual([
    'connection.requested',
    'connection.established',
    'connection.lost',
    'connection.failed',
  ]);
  expect(find('type:*.lost from:driver')).toEqual(
    find('type:*.lost')?.filter((s) => model.event(s)?.from === 'driver'),
  );
  expect(find('machine:connection:tb1.c1')).toContain(55);
});

test('a minus turns a word round, and quotation marks keep words together', () => {
  const { model, find } = finder();
  expect((find('type:command')?.length ?? 0) + (find('-type:command')?.length ?? 0)).toBe(model.last);
  expect(find('"tb1.c1 was closed by the other side"')).toEqual(find('type:connection.lost'));
});

test('failures are what isFailure calls so', () => {
  const { model, find } = finder();
  expect(find('is:failure')).toEqual(model.failures);
});

test('a filter finds what came after it was asked first', () => {
  const { model, find } = finder();
  const before = find('lingers')?.length ?? 0;
  expect(before).toBeGreaterThan(0);
  model.take([model.raws.find((raw) => raw.includes('test.started')) ?? '']);
  expect(find('lingers')).toHaveLength(before + 1);
});

test('events of many blocks are all found, each once', () => {
  const { model, find } = finder(40);
  expect(model.last).toBe(72 * 40);
  expect(find('"tb1.c1 was closed by the other side"')).toEqual(
    Array.from({ length: 40 }, (_, copy) => 55 + copy * 72),
  );
});
