import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionEnvironment, startSshServer } from '../faults/support/sshServer.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { endpointOf, hostAt, onEveryServer, openHost, publicPlace } from './support/openHost.ts';
import { describeTree, makeTree, trees } from './support/trees.ts';

onEveryServer('the copy of a tree', ['tar'], (host) => {
  test('is the tree again, down and up, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (entries) => {
        const { from, there, back } = places();
        makeTree(from, entries);
        await host.testbed.copyDown(`${from}/`, `${there}/`);
        await host.testbed.copyUp(`${there}/`, `${back}/`);
        expect(describeTree(there)).toEqual(describeTree(from));
        // Setuid bits and their like were for another owner.
        expect(describeTree(back)).toEqual(describeTree(from, false, 0o777));
      }),
      { numRuns: 12 },
    );
  });

  test('keeps holes as holes', async () => {
    const { from, there, back } = places();
    writeFileSync(join(from, 'sparse'), 'begin');
    truncateSync(join(from, 'sparse'), 300_000_000);
    await host.testbed.copyDown(`${from}/`, `${there}/`);
    await host.testbed.copyUp(`${there}/`, `${back}/`);
    for (const place of [there, back]) {
      const { size, blocks } = statSync(join(place, 'sparse'));
      expect(size).toBe(300_000_000);
      expect(blocks * 512).toBeLessThan(1_000_000);
    }
  });

  test('keeps the mode and the time of its own directory', async () => {
    const { from, there, back } = places();
    chmodSync(from, 0o2751);
    execFileSync('touch', ['-d', '@981173106', from]);
    await host.testbed.copyDown(`${from}/`, `${there}/`);
    await host.testbed.copyUp(`${there}/`, `${back}/`);
    for (const [place, mode] of [
      [there, '2751'],
      [back, '751'],
    ] as const) {
      expect((statSync(place).mode & 0o7777).toString(8)).toBe(mode);
      expect(statSync(place).mtimeMs).toBe(981_173_106_000);
    }
  });

  test('is merged into what is there already, without following links', async () => {
    const { from, there, back } = places();
    for (const directory of ['both', 'ours', 'swapped']) mkdirSync(join(from, directory));
    for (const file of ['both/new', 'ours/a', 'file', 'swapped/b']) writeFileSync(join(from, file), 'new');
    await host.testbed.copyDown(`${from}/`, `${there}/`);
    const outside = publicPlace();
    mkdirSync(join(back, 'both'), { recursive: true });
    writeFileSync(join(back, 'both', 'old'), 'old');
    symlinkSync(outside, join(back, 'ours'));
    symlinkSync(join(outside, 'file'), join(back, 'file'));
    writeFileSync(join(back, 'swapped'), 'a file');
    await host.testbed.copyUp(`${there}/`, `${back}/`);
    expect(readFileSync(join(back, 'both', 'old'), 'utf8')).toBe('old');
    for (const file of ['both/new', 'ours/a', 'file', 'swapped/b']) {
      expect(readFileSync(join(back, file), 'utf8')).toBe('new');
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  test('tells how far it is', async () => {
    const { from, there } = places();
    writeFileSync(join(from, 'big'), Buffer.alloc(40_000_000, 1));
    const told: number[] = [];
    await host.testbed.copyDown(`${from}/`, `${there}/`, { onProgress: (bytes) => told.push(bytes) });
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBeGreaterThanOrEqual(40_000_000);
    const progress = await host.log.first('copy.progressed');
    expect(progress.bytes).toBeGreaterThan(0);
  });

  test('that fails says why and where', async () => {
    const { testbed } = host;
    const { from, there, back } = places();
    writeFileSync(join(from, 'file'), 'x');
    await fails(testbed.copyDown(`${from}-not/`, `${there}/`), 'copy-failed', /on the host: .*from-not.*No such file/);
    await fails(
      testbed.copyDown(`${from}/`, `${from}/file/`),
      'copy-failed',
      /on the testbed: .*from\/file.*(File exists|Not a directory)/,
    );
    await fails(
      testbed.copyUp(`${there}-not/`, `${back}/`),
      'copy-failed',
      /on the testbed: .*there-not.*No such file/,
    );
    await fails(
      testbed.copyUp(`${from}/file/`, `${back}/`),
      'copy-failed',
      /on the testbed: .*from\/file.*Not a directory/,
    );
    expect(existsSync(back)).toBe(false);
    writeFileSync(back, 'a file');
    await fails(testbed.copyUp(`${from}/`, `${back}/`), 'copy-failed', /on the host: .*back/);
    expect(readFileSync(back, 'utf8')).toBe('a file');
    expect(readdirSync(join(from, '..')).filter((name) => name.includes('trundle'))).toEqual([]);
  });

  test('that is deeper than a path may be long says so, and leaves nothing', async () => {
    const { from, there, back } = places();
    // By a process of its own, which goes down step by step.
    const deepen = `for (let i = 0; i < 60; i++) { fs.mkdirSync('${'y'.repeat(100)}'); process.chdir('${'y'.repeat(100)}'); }
      fs.writeFileSync('bottom', 'x');`;
    execFileSync(process.execPath, ['-e', deepen], { cwd: from });
    try {
      await fails(host.testbed.copyUp(`${from}/`, `${back}/`), 'copy-failed', /File name too long/);
      await fails(host.testbed.copyDown(`${from}/`, `${there}/`), 'copy-failed', /File name too long/);
      expect(existsSync(back)).toBe(false);
      expect(readdirSync(join(from, '..')).filter((name) => name.includes('trundle'))).toEqual([]);
    } finally {
      execFileSync('rm', ['-rf', from, there]);
    }
  });
});

describeWith(['sshd', 'root', 'tar'], 'a tree with its owners', () => {
  test('belongs to the same numbers on the other side, where that is asked for', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd))));
    const { from, there, back } = places();
    mkdirSync(join(from, 'directory'));
    writeFileSync(join(from, 'directory', 'file'), 'x');
    symlinkSync('nowhere', join(from, 'link'));
    for (const path of ['', 'directory', 'directory/file']) chownSync(join(from, path), 4321, 8765);
    chmodSync(join(from, 'directory', 'file'), 0o6755);
    lchownSync(join(from, 'link'), 1234, 5678);
    const owners = true;
    await host.testbed.copyDown(`${from}/`, `${there}/`, { owners });
    mkdirSync(join(back, 'directory'), { recursive: true });
    await host.testbed.copyUp(`${there}/`, `${back}/`, { owners });
    expect(describeTree(there, true)).toEqual(describeTree(from, true));
    expect(describeTree(back, true)).toEqual(describeTree(from, true));
    expect(statSync(back).uid).toBe(4321);
  });

  test('else belongs to whoever receives it, without the power of another', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd))));
    const { from, there, back } = places();
    writeFileSync(join(from, 'file'), 'x');
    chownSync(join(from, 'file'), 4321, 8765);
    chmodSync(join(from, 'file'), 0o6755);
    await host.testbed.copyDown(`${from}/`, `${there}/`);
    chownSync(join(there, 'file'), 4321, 8765);
    chmodSync(join(there, 'file'), 0o6755);
    await host.testbed.copyUp(`${there}/`, `${back}/`);
    await host.testbed.copyUp(`${there}/file`, `${back}-file`);
    for (const file of [join(back, 'file'), `${back}-file`]) {
      const { uid, mode } = statSync(file);
      expect([uid, (mode & 0o7777).toString(8)]).toEqual([0, '755']);
    }
  });
});

describeWith(['sshd', 'root', 'tar', 'tmpfs'], 'a tree for a directory on which something is mounted', () => {
  test('arrives there', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd))));
    const { from, back } = places();
    writeFileSync(join(from, 'file'), 'x');
    mkdirSync(back);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'trundle-test', back]);
    try {
      await host.testbed.copyUp(`${from}/`, `${back}/`);
      expect(readdirSync(back)).toEqual(['file']);
    } finally {
      execFileSync('umount', [back]);
    }
  });
});

async function fails(copying: Promise<void>, causeClass: string, words: RegExp): Promise<void> {
  await expect(copying).rejects.toMatchObject({
    cause: { class: causeClass, phase: 'copy', detail: expect.stringMatching(words) },
  });
}

/** A directory of the host, a place in the testbed, and another on the host. */
function places(): { from: string; there: string; back: string } {
  const directory = publicPlace();
  const from = join(directory, 'from');
  mkdirSync(from, { mode: 0o755 });
  return { from, there: join(directory, 'there'), back: join(directory, 'back') };
}
