import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMachines } from '../../src/machines/index.ts';
import type { Run } from '../../src/testbed/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { EventLog } from '../support/eventLog.ts';
import { workplace } from '../support/workplace.ts';
import { faultyHere, stopIn } from './support/faultyHere.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

const ONE = 'Tests: smoke\nDepends:\n';
const PASSES = { control: ONE, tests: { smoke: '#!/bin/sh\necho here >"$AUTOPKGTEST_ARTIFACTS/kept"\necho good\n' } };
const FAILS = { control: ONE, tests: { smoke: '#!/bin/sh\nexit 3\n' } };
const BROKEN = { control: 'Nonsense\n' };

/** Three packages of which one passes, one fails and one is erroneous; with what a run of them leaves. */
function three(place: string) {
  const source = [
    makePackage(place, 'good', PASSES),
    makePackage(place, 'bad', FAILS),
    makePackage(place, 'broken', BROKEN),
  ];
  const outputDir = join(place, 'out');
  const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
  return { source, outputDir, read };
}

describe('several packages in one run', () => {
  test('have their own verdicts, files and parts of every report', async () => {
    const place = workplace();
    const { source, outputDir, read } = three(place);
    const [trace, junitFile] = [join(place, 'trace'), join(place, 'junit.xml')];
    const { report, stdout } = await runHere({ source, outputDir, trace, junitFile, annotations: true });
    expect(report).toMatchObject({ exitCode: 12, cause: { class: 'bad-package' } });
    expect(report.packages.map((each) => [each.package, each.exitCode])).toEqual([
      ['good', 0],
      ['bad', 4],
      ['broken', 12],
    ]);
    expect(report.outcomes.map((each) => `${each.test} ${each.outcome}`)).toEqual([
      'good/smoke pass',
      'bad/smoke fail',
    ]);

    expect(readdirSync(outputDir).sort()).toEqual(['bad', 'broken', 'good', 'log', 'results.json', 'summary']);
    expect(
      readdirSync(join(outputDir, 'good'))
        .filter((name) => !name.endsWith('packages'))
        .sort(),
    ).toEqual(['artifacts', 'log', 'results.json', 'smoke-stdout', 'summary', 'testinfo.json', 'testpkg-version']);
    expect(read('good/artifacts/smoke/kept')).toBe('here\n');
    expect(read('good/summary')).toBe('smoke                PASS\n');
    expect(read('good/log')).toContain('smoke                PASS');
    expect(read('good/log')).not.toContain('bad');
    expect(read('summary').split('\n').slice(0, 2)).toEqual([
      'good/smoke           PASS',
      'bad/smoke            FAIL non-zero exit status 3',
    ]);
    expect(read('summary')).toMatch(/^broken: badpkg: /m);
    expect(stdout()).toContain('bad/smoke            FAIL non-zero exit status 3\n');

    const results = JSON.parse(read('results.json'));
    expect(results.packages).toMatchObject([
      { package: 'good', name: 'good', version: '1.0-1', exitCode: 0, cause: null, retries: 0 },
      { package: 'bad', exitCode: 4, cause: { class: 'test-failed' } },
      { package: 'broken', exitCode: 12, cause: { class: 'bad-package' } },
    ]);
    expect(results.tests).toMatchObject([
      { test: 'good/smoke', package: 'good', outcome: 'pass' },
      { test: 'bad/smoke', package: 'bad', outcome: 'fail' },
    ]);
    expect(JSON.parse(read('bad/results.json'))).toMatchObject({
      exitCode: 4,
      sources: [source[1]],
      package: { name: 'bad', version: '1.0-1' },
      tests: [{ test: 'smoke', outcome: 'fail' }],
    });
    const junit = readFileSync(junitFile, 'utf8');
    expect(
      [...junit.matchAll(/<testsuite [^>]* name="(\w+)"[^>]* failures="(\d)" errors="(\d)"/g)].map((m) => m.slice(1)),
    ).toEqual([
      ['good', '0', '0'],
      ['bad', '1', '0'],
      ['broken', '0', '1'],
    ]);
    expect(stdout()).toContain('::error title=test bad/smoke%3A FAIL::non-zero exit status 3');
    expect(stdout()).toContain('::error title=package broken%3A erroneous package::');
    expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  });

  test('do not end with the testbed of one', async () => {
    const place = workplace();
    const host = await faultyHere();
    const stuck = { control: ONE, tests: { smoke: '#!/bin/sh\nexec sleep 1000\n' } };
    const source = [makePackage(place, 'a', stuck), makePackage(place, 'b', PASSES)];
    const { report } = await runHere({ source, onRun: stopIn(['a/smoke'], host) }, host.backend);
    expect(report).toMatchObject({ exitCode: 16, cause: { class: 'testbed-died' } });
    expect(report.packages.map(({ exitCode }) => exitCode)).toEqual([16, 0]);
    expect(host.done).toEqual(['create tb1', 'create tb2']);
  });

  test('share a testbed that can be put back', async () => {
    const place = workplace();
    const host = await faultyHere({ capabilities: ['revert'] });
    const source = ['a', 'b', 'c'].map((name) => makePackage(place, name, PASSES));
    const { report } = await runHere({ source }, host.backend);
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    expect(host.done).toEqual(['create tb1', 'reset tb1', 'reset tb1']);
  });

  test('have a testbed that lasts one after another, as it is, and another where that died', async () => {
    const place = workplace();
    const host = await faultyHere();
    const names = ['a', 'b', 'c', 'd'];
    const stuck = { control: ONE, tests: { smoke: '#!/bin/sh\nexec sleep 1000\n' } };
    const source = names.map((name) => makePackage(place, name, name === 'c' ? stuck : PASSES));
    const trace = join(place, 'trace');
    const stop = stopIn(['c/smoke'], host);
    let log: EventLog | undefined;
    const onRun = (run: Run) => {
      log = new EventLog(run.events$);
      stop(run);
    };
    const { report } = await runHere({ source, trace, onRun }, { ...host.backend, lasting: true });
    expect(report.packages.map((each) => `${each.package} ${each.exitCode}`)).toEqual(['a 0', 'b 0', 'c 16', 'd 0']);
    expect(host.done).toEqual(['create tb1', 'create tb2']);
    expect(log?.all('testbed.assigned').map((event) => `${event.testbed} ${event.package}`)).toEqual([
      'tb1 a',
      'tb1 b',
      'tb1 c',
      'tb2 d',
    ]);
    expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  });

  test('have this machine one after another', async () => {
    const place = workplace();
    const source = ['a', 'b'].map((name) => makePackage(place, name, PASSES));
    const { report, stderr } = await runHere({ source });
    expect(report.exitCode).toBe(0);
    expect(stderr()).not.toContain('tb2');
  });

  test('run at once where there may be several testbeds, and are told of in their own order', async () => {
    const place = workplace();
    const mark = join(place, 'b-is-done');
    const waits = `#!/bin/sh\nwhile [ ! -e ${mark} ]; do sleep 0.05; done\necho a ends\n`;
    const source = [
      makePackage(place, 'a', { control: ONE, tests: { smoke: waits } }),
      makePackage(place, 'b', { control: ONE, tests: { smoke: `#!/bin/sh\ntouch ${mark}\necho b ends\nexit 1\n` } }),
      makePackage(place, 'c', PASSES),
    ];
    const [outputDir, trace] = [join(place, 'out'), join(place, 'trace')];
    const { report, stdout } = await runHere({ source, outputDir, trace, testbeds: 2 });
    expect(report.packages.map((each) => `${each.package} ${each.exitCode}`)).toEqual(['a 0', 'b 4', 'c 0']);
    expect(stdout().match(/^([ab] ends|good)$|^\w\/smoke/gm)).toEqual([
      'a ends',
      'a/smoke',
      'b ends',
      'b/smoke',
      'good',
      'c/smoke',
    ]);
    expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  });

  test('end all where the operator ends the run, and tell which had no turn', async () => {
    const place = workplace();
    const begun = { control: ONE, tests: { smoke: '#!/bin/sh\nexec sleep 1000\n' } };
    const source = [makePackage(place, 'a', begun), makePackage(place, 'b', PASSES)];
    const stop = new AbortController();
    const outputDir = join(place, 'out');
    let log: EventLog | undefined;
    const { report } = await runHere({
      ...{ source, outputDir, signal: stop.signal },
      onRun: (run) => {
        log = new EventLog(run.events$);
        run.events$.subscribe(({ type }) => {
          if (type === 'test.started') queueMicrotask(() => stop.abort());
        });
      },
    });
    expect(report).toMatchObject({ exitCode: 130, cause: { class: 'operator-interrupted' } });
    expect(report.packages.map((each) => [each.package, each.exitCode])).toEqual([['a', 130]]);
    const { packages } = JSON.parse(readFileSync(join(outputDir, 'results.json'), 'utf8'));
    expect(packages.map((each: { exitCode: number | null }) => each.exitCode)).toEqual([130, null]);
    expect(existsSync(join(outputDir, 'b/results.json'))).toBe(false);
    expect(log?.all('testbed.removed').map(({ leftovers }) => leftovers)).toEqual([[]]);
  });

  test('are left out where only tests of others are asked for, as the summary names those', async () => {
    const place = workplace();
    const { source, outputDir, read } = three(place);
    const { report } = await runHere({ source, outputDir, testNames: ['good/smoke'] });
    expect(report).toMatchObject({ exitCode: 0, packages: [{ package: 'good', exitCode: 0 }] });
    expect(read('summary')).toBe('good/smoke           PASS\n');
    expect(read('good/summary')).toBe('smoke                PASS\n');
    expect(readdirSync(outputDir).sort()).toEqual(['good', 'log', 'results.json', 'summary']);

    const [first = ''] = source;
    const alone = await runHere({ source: first, skipTests: ['good/smoke'] });
    expect(alone.report).toMatchObject({ exitCode: 8, outcomes: [] });
    await expect(runHere({ source, testNames: ['none/smoke'] })).rejects.toThrow('the packages are good, bad, broken');
  });

  test('cannot have one description of their tests', async () => {
    const place = workplace();
    const { source } = three(place);
    await expect(runHere({ source, overrideControl: join(place, 'x') })).rejects.toThrow('there are several');
  });
});
