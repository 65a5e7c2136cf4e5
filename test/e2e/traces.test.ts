import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { cli, eventsIn } from './support/cli.ts';

let place = '';
let env: Record<string, string> = {};
let out = '';
let run = '';

/** One run, of a package with a good test and a bad one, for all tests of this file to look at. */
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'trundle-test-'));
  env = { XDG_STATE_HOME: join(place, 'state') };
  out = join(place, 'out');
  const source = makePackage(place, { tests: { good: 'true', bad: 'echo oh; exit 3' } });
  const { stdout } = await cli(['run', '--json', '-o', out, source, '--', 'null'], { env, outlives: true });
  run = eventsIn(stdout)[0]?.run ?? '';
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('a trace is found', () => {
  test.each([
    ['by its directory', () => [join(out, 'trace')]],
    ['by its file of events', () => [join(out, 'trace/events.jsonl')]],
    ['by the output directory that holds it', () => [out]],
    ["by the run's id", () => [run]],
    ['by the beginning of the id', () => [run.slice(0, 4)]],
    ['as the last run', () => ['--last']],
  ])('%s', async (_how, words) => {
    const { status, stdout } = await cli(['explain', ...words()], { env });
    expect(status).toBe(0);
    expect(stdout).toContain(`Run ${run} of `);
  });

  test.each([
    [['nothing'], 'there is no trace at nothing, and no run has that id.'],
    [['./nothing'], './nothing does not exist'],
    [['src'], 'src, and no run has that id'],
    [['./src'], './src holds no trace'],
    [['package.json'], 'not a trace'],
    [[], 'which trace?'],
    [['x', '--last'], 'either --last or x, not both'],
  ])('%j is none', async (words, problem) => {
    const ends = await Promise.all(['explain', 'replay'].map((verb) => cli([verb, ...words], { env })));
    for (const { status, stdout, stderr } of ends) {
      expect([status, stdout]).toEqual([20, '']);
      expect(stderr).toContain(problem);
      expect(stderr).not.toContain('    at ');
    }
  });

  test('that has no run yet has no last run', async () => {
    const { status, stderr } = await cli(['explain', '--last'], { env: { XDG_STATE_HOME: workplace() } });
    expect(status).toBe(20);
    expect(stderr).toContain('no run is known yet on this machine');
  });
});

describe('trundle explain', () => {
  test('tells the cause in words, with the events that prove it', async () => {
    const { stdout, stderr } = await cli(['explain', out], { env });
    expect(stderr).toBe('');
    expect(stdout).toContain('It ended with exit code 4:');
    expect(stdout).toContain('test-failed: A test ended with an exit status other than 0.');
    expect(stdout).toContain('test bad exited with status 3');
  });

  test('prints one document with --json', async () => {
    const { stdout } = await cli(['explain', '--json', out], { env });
    expect(JSON.parse(stdout)).toMatchObject({ run, exitCode: 4, cause: { class: 'test-failed' }, left: [] });
  });
});

describe('trundle replay', () => {
  test("proves that today's machines come to the same verdict", async () => {
    const { status, stdout } = await cli(['replay', out], { env });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^Run ${run}: the same \\(\\d+ events, \\d+ decisions\\), to the same verdict: exit code 4, test-failed while running test bad\\.\\n$`,
      ),
    );
  });

  test('names the first event where they differ', async () => {
    const other = join(workplace(), 'trace');
    cpSync(join(out, 'trace'), other, { recursive: true });
    const file = join(other, 'events.jsonl');
    // As if the machines of that time had judged another way.
    writeFileSync(file, readFileSync(file, 'utf8').replace('"outcome":"pass"', '"outcome":"fail"'));
    const [text, json] = await Promise.all([
      cli(['replay', other], { env }),
      cli(['replay', '--json', other], { env }),
    ]);
    expect([text.status, json.status]).toEqual([1, 1]);
    const { same, at, recorded, now } = JSON.parse(json.stdout);
    expect({ same, recorded, now }).toMatchObject({
      same: false,
      recorded: { type: 'test.judged', outcome: 'fail' },
      now: { type: 'test.judged', outcome: 'pass' },
    });
    expect(text.stdout).toContain(`Run ${run}: different at event ${at}`);
  });

  test('replays a trace that was cut off as far as it goes', async () => {
    const other = join(workplace(), 'trace');
    cpSync(join(out, 'trace'), other, { recursive: true });
    const file = join(other, 'events.jsonl');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, text.length / 2));
    const { status, stdout } = await cli(['replay', other], { env });
    expect(status).toBe(0);
    expect(stdout).toContain('the same as far as it goes');
  });
});
