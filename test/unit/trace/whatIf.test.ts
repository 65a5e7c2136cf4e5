import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock, type TrundleEvent } from '../../../src/events/index.ts';
import { createMachines } from '../../../src/machines/index.ts';
import { explain } from '../../../src/trace/explain/explain.ts';
import { isEvent } from '../../../src/trace/folds.ts';
import { minimise } from '../../../src/trace/minimise.ts';
import { parseInsertion } from '../../../src/trace/parseEdit.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { renderSlice, renderWhatIf } from '../../../src/trace/renderWhatIf.ts';
import { replay } from '../../../src/trace/replay.ts';
import { type Edit, whatIf } from '../../../src/trace/whatIf.ts';
import { writeSlice } from '../../../src/trace/writeSlice.ts';
import { temporaryDirectory } from './support/trace.ts';

const CORPUS = join(import.meta.dirname, '../../traces');

async function events(name: string): Promise<TrundleEvent[]> {
  const found: TrundleEvent[] = [];
  const trace = await readTrace(join(CORPUS, name));
  for await (const line of trace.lines()) if (isEvent(line)) found.push(line);
  return found;
}

const edited = async (name: string, ...edits: Edit[]) => whatIf(await events(name), edits, createMachines);

test.each(['v1-pass', 'v1-failing-test', 'v1-timeout', 'v1-lost-connection', 'v1-no-server', 'v1-interrupted'])(
  'a history that nobody edits is the recorded one: %s',
  async (name) => {
    const recorded = await events(name);
    const result = whatIf(recorded, [], createMachines);
    expect(result).toMatchObject({ parted: null, added: [], gone: [], open: [] });
    expect(result.events).toEqual(recorded);
    expect(result.after).toEqual(result.before);
  },
);

test('without the signal from outside the run is not interrupted', async () => {
  const recorded = await events('v1-interrupted');
  const signal = recorded.find(({ type }) => type === 'operator.signalled')?.seq ?? 0;
  const { before, after } = whatIf(recorded, [{ kind: 'without', seq: signal }], createMachines);
  expect(before).toMatchObject({ exitCode: 130, cause: { class: 'operator-interrupted' } });
  expect(after?.exitCode).not.toBe(130);
});

test('a panic that is inserted is the cause', async () => {
  const recorded = await events('v1-pass');
  const draft = await parseInsertion('{"type":"guest.panicked","message":"oops"}', recorded, 60);
  const result = whatIf(recorded, [{ kind: 'insert', after: 60, draft }], createMachines);
  expect(result.after).toMatchObject({ exitCode: 16, cause: { class: 'testbed-died' } });
  expect(renderWhatIf('r1', result)).toContain('the kernel of the testbed panicked: oops  [new]');
});

test('a shorter deadline passes, a longer one does not', async () => {
  const short = await edited('v1-failing-test', { kind: 'deadline', deadline: 'command', ms: 5000 });
  expect(short.after).toMatchObject({ exitCode: 4, cause: { class: 'test-timed-out' } });
  const long = await edited('v1-timeout', { kind: 'deadline', deadline: 'command', ms: 600_000 });
  expect(long.after?.cause ?? null).toBeNull();
  expect(long.open).toEqual(['command:tb1.x5']);
});

test('what cannot be edited is said', async () => {
  await expect(edited('v1-pass', { kind: 'without', seq: 8 })).rejects.toThrow(/what a machine concluded/);
  await expect(edited('v1-pass', { kind: 'without', seq: 2000 })).rejects.toThrow(/there is no event 2000/);
  const recorded = await events('v1-pass');
  await expect(parseInsertion('{"type":"guest.panick"}', recorded, 1)).rejects.toThrow(/no event type is called/);
  await expect(parseInsertion('{', recorded, 1)).rejects.toThrow(/no JSON/);
});

test.each(['v1-failing-test', 'v1-lost-connection', 'v1-wrong-host-key', 'v1-interrupted'])(
  'the smallest slice of %s comes to the same cause, and needs all that it has',
  async (name) => {
    const recorded = await events(name);
    const slice = minimise(recorded, createMachines);
    if (slice === null) throw new Error('it has a cause');
    expect(slice.events.length).toBeLessThan(recorded.length / 2);
    expect(slice.smallest).toBe(true);
    for (const event of slice.events) {
      const rest = minimise(
        slice.events.filter((each) => each !== event),
        createMachines,
      );
      expect([rest?.cause.class, rest?.cause.doing]).not.toEqual([slice.cause.class, slice.cause.doing]);
    }
    expect(renderSlice('r1', slice)).toContain(`${slice.events.length} event`);
  },
);

test.each(readdirSync(CORPUS).filter((name) => /^v\d-(?!.*(?:pass|killed-truncated))/.test(name)))(
  'the smallest slice of %s is a trace of its own that replays to the same cause',
  async (name) => {
    const slice = minimise(await events(name), createMachines);
    // What nobody's machine concluded, as of a killed run, has none.
    if (slice === null) return expect(name).toMatch(/-killed$/);
    const directory = join(temporaryDirectory(), 'slice');
    const { header } = await readTrace(join(CORPUS, name));
    writeSlice(directory, { slice, header, clock: systemClock, createMachines });
    const trace = await readTrace(directory, { validate: true });
    const { class: causeClass, phase, doing } = slice.cause;
    expect(await replay(trace, { createMachines })).toMatchObject({
      same: true,
      verdict: { cause: { class: causeClass, phase, doing } },
    });
    const { cause, evidence, interrupted } = await explain(trace);
    expect(interrupted).toBeNull();
    // What proves it is in the slice, under its new number.
    expect(evidence).toHaveLength(cause?.evidence.length ?? -1);
  },
);

test('a run that passed has no slice', async () => {
  expect(minimise(await events('v1-pass'), createMachines)).toBeNull();
});
