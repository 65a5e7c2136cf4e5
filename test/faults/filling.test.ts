import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readTrace } from '../../src/trace/index.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { existingHost } from './support/existingHost.ts';
import { faultRun } from './support/faultRun.ts';
import { runIn, withSmall } from './support/runIn.ts';
import { expectFault } from './support/soundness.ts';
import { mountTmpfs, sessionEnvironment, startSshServer } from './support/sshServer.ts';
import { useTestbed } from './support/usedTestbed.ts';

const SIZE = 8 * 1024 * 1024;

/** A file system of its own that is full after one mebibyte; gone at the end of the test. */
function smallDisk(): string {
  const disk = join(workplace(), 'small');
  mountTmpfs(disk, '1m');
  onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
  return disk;
}

/** Something larger than the small disk. */
function tooMuch(what: 'file' | 'tree'): string {
  const source = join(workplace(), 'source');
  if (what === 'tree') mkdirSync(source);
  writeFileSync(what === 'tree' ? join(source, 'large') : source, Buffer.alloc(SIZE, 'x'));
  return what === 'tree' ? `${source}/` : source;
}

describeWith(['sshd', 'tar', 'tmpfs', 'root'], 'a disk that is full', () => {
  const slash = { file: '', tree: '/' } as const;

  test.each(['file', 'tree'] as const)('on the host fails the copy of a %s from the testbed', async (what) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const disk = smallDisk();
    const used = await useTestbed({
      backend: existingHost(sshd, sshd.address),
      use: (testbed) => testbed.copyUp(tooMuch(what), join(disk, `target${slash[what]}`)),
    });
    // A copy that failed is its caller's affair, and the testbed as good as before.
    expect(used.end).toMatchObject({ exitCode: 0, cause: null });
    expect(used.error).toMatchObject({ cause: { class: 'host-disk-full', phase: 'copy' } });
    expect(String(used.error)).toMatch(/on the host: .*(ENOSPC|No space left on device|Wrote only)/s);
    expect(readdirSync(disk)).toEqual([]);
  });

  test.each(['file', 'tree'] as const)('in the testbed fails the copy of a %s into it', async (what) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const disk = smallDisk();
    const used = await useTestbed({
      backend: existingHost(sshd, sshd.address),
      use: (testbed) => testbed.copyDown(tooMuch(what), join(disk, `target${slash[what]}`)),
    });
    expect(used.end).toMatchObject({ exitCode: 0, cause: null });
    expect(used.error).toMatchObject({ cause: { class: 'testbed-disk-full', phase: 'copy' } });
    expect(String(used.error)).toMatch(/on the testbed: .*(No space left on device|Wrote only)/s);
    if (what === 'file') expect(readdirSync(disk)).toEqual([]);
  });

  test('in the testbed ends a run whose tree does not fit', async () => {
    const disk = smallDisk();
    const sshd = forThisTest(await startSshServer([sessionEnvironment({ TMPDIR: disk })]));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: 'true' }, files: { large: Buffer.alloc(SIZE) } },
    });
    await expectFault(run.report, {
      class: 'testbed-disk-full',
      phase: 'copy',
      exitCode: 16,
      evidence: ['copy.failed'],
    });
    expect(run.summary).toMatch(
      /^testbed failure: testbed disk full while copying .*: on the testbed: .*(No space left|Wrote only)/,
    );
    // The scratch directory went with the run.
    expect(readdirSync(disk)).toEqual([]);
  });

  test('in the testbed is the affair of the test that filled it', async () => {
    const disk = smallDisk();
    const sshd = forThisTest(await startSshServer([sessionEnvironment({ TMPDIR: disk })]));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: {
        tests: { fills: `head -c ${SIZE} /dev/zero >"$AUTOPKGTEST_TMP/large"`, after: 'df "$PWD" >/dev/null' },
      },
    });
    expect(run.report.exitCode).toBe(4);
    expect(run.summary).toMatch(/^fills +FAIL non-zero exit status 1$/m);
    // What it filled is removed before the next one begins, and all else at the end.
    expect(run.summary).toMatch(/^after +PASS$/m);
    expect(run.stderr).toContain('No space left on device');
    expect(readdirSync(disk)).toEqual([]);
  });

  test('on the host ends a run whose artifacts do not fit', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const outputDir = join(smallDisk(), 'output');
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `head -c ${SIZE} /dev/zero >"$AUTOPKGTEST_ARTIFACTS/large"`, next: 'true' } },
      options: { outputDir },
    });
    const events = await expectFault(run.report, {
      class: 'host-disk-full',
      phase: 'copy',
      exitCode: 20,
      evidence: ['copy.failed'],
    });
    expect(events.find((event) => event.type === 'test.judged')).toMatchObject({ test: 'smoke', outcome: 'pass' });
    expect(events.filter((event) => event.type === 'test.started')).toHaveLength(1);
    expect(run.stderr).toMatch(
      /ERROR: host disk full while copying .*: on the host: .*(No space left on device|Wrote only)/,
    );
  });

  test('under the output directory ends the test that prints too much', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const outputDir = join(smallDisk(), 'output');
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `head -c ${SIZE} /dev/zero; sleep 1000000`, next: 'true' } },
      options: { outputDir },
    });
    const events = await expectFault(run.report, {
      class: 'host-disk-full',
      phase: 'exec',
      exitCode: 20,
      evidence: ['step.failed'],
    });
    expect(run.report.cause).toMatchObject({ doing: 'keeping the output of test smoke' });
    expect(events.filter((event) => event.type === 'test.started')).toHaveLength(1);
    expect(run.stderr).toMatch(/ERROR: host disk full while keeping the output of test smoke: ENOSPC: no space left/);
  });

  test('under the trace ends the run: nobody could tell what it leaves', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const trace = join(smallDisk(), 'trace');
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `head -c ${SIZE} /dev/zero; sleep 1000000`, next: 'true' } },
      options: { trace },
    });
    expect(run.report).toMatchObject({
      exitCode: 20,
      cause: { class: 'host-disk-full', phase: 'exec', doing: 'writing the trace' },
    });
    const [proof] = run.report.cause?.evidence ?? [];
    expect(run.log.events.find(({ seq }) => seq === proof)?.type).toBe('step.failed');
    expect(run.stderr).toMatch(/ERROR: host disk full while writing the trace: .*: the trace ends here, .*ENOSPC/);
    expect(run.log.all('test.started')).toHaveLength(1);
    expect(run.log.all('testbed.removed')).toMatchObject([{ leftovers: [], cause: null }]);
    // What could be written can be read.
    for await (const line of (await readTrace(trace, { validate: true })).lines()) expect(line).toBeDefined();
  });

  test('under the trace from the start is told before anything happens', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const disk = smallDisk();
    expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(SIZE))).toThrow('ENOSPC');
    const run = useTestbed({
      backend: existingHost(sshd, sshd.address),
      trace: join(disk, 'trace'),
      use: async () => {},
    });
    await expect(run).rejects.toThrow(/events\.jsonl: the trace cannot be written: ENOSPC/);
  });
});

describeWith(['root', 'tmpfs'], 'a machine as its own testbed', () => {
  test('whose /tmp is full ends the run whose tree does not fit', async () => {
    const place = mkdtempSync('/var/tmp/trundle-test-');
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const plan = { tests: { smoke: 'true' }, files: { large: Buffer.alloc(SIZE) } };
    const words = ['run', '-o', join(place, 'out'), makePackage(place, plan), '--', 'null'];
    const { status, stderr } = await runIn(withSmall('/tmp'), words, { TMPDIR: '/tmp', XDG_STATE_HOME: place });
    expect(stderr).toMatch(/testbed disk full while copying .*: on the testbed: .*(No space left|Wrote only)/);
    expect(status).toBe(16);
    const { cause } = JSON.parse(readFileSync(join(place, 'out/results.json'), 'utf8'));
    expect(cause).toMatchObject({ class: 'testbed-disk-full', phase: 'copy' });
  });

  test('is not said to keep what went after its trace had no room left', async () => {
    const place = mkdtempSync('/var/tmp/trundle-test-');
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const source = makePackage(place, { tests: { smoke: `head -c ${SIZE} /dev/zero` } });
    const words = ['run', '--trace', '/tmp/trace', source, '--', 'null'];
    const { status, stderr } = await runIn(withSmall('/tmp'), words, { TMPDIR: place, XDG_STATE_HOME: place });
    expect(status).toBe(20);
    expect(stderr).toContain('the trace ends here');
    expect(readdirSync(place).filter((name) => name.startsWith('trundle-'))).not.toContainEqual(
      expect.stringMatching(/-tb1$/),
    );
    expect(stderr).not.toMatch(/^ +left |trundle reap/m);
  });
});
