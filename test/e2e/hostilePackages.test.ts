import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { makePackage } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { type CliEnd, cli, ownState, root } from './support/cli.ts';

/** A run of a package's tests with an output directory; both are below `place`. */
async function runOf(
  place: string,
  tests: Readonly<Record<string, string>>,
): Promise<CliEnd & { readonly out: string }> {
  const source = makePackage(place, { tests });
  const out = join(place, 'out');
  return { ...(await cli(['run', '-o', out, source, '--', 'null'], { env: ownState() })), out };
}

describe('a test that takes its own ground away', () => {
  test.each([
    ['the tree', 'rm -rf "$PWD"'],
    ['its temporary directory', 'rm -rf "$AUTOPKGTEST_TMP"'],
    ['its artifacts', 'rm -rf "$AUTOPKGTEST_ARTIFACTS"'],
    ['all of the scratch directory', 'rm -rf "$(dirname "$AUTOPKGTEST_TMP")"'],
  ])('has removed %s: the run comes to its end, and leaves nothing', async (_what, script) => {
    const { status, stdout, stderr } = await runOf(workplace(), { removes: `echo "at $AUTOPKGTEST_TMP"; ${script}` });
    // The test itself did nothing wrong.
    expect(stdout).toContain('removes              PASS\n');
    // Where the runner misses its own directories, that is told with the step that missed them.
    if (status !== 0) {
      expect(status).toBe(16);
      expect(stderr).toMatch(/ERROR: testbed failure: .* while \S.*: .*No such file or directory/);
    }
    const scratch = dirname(/^at (.*)$/m.exec(stdout)?.[1] ?? '');
    expect(scratch).toMatch(/\/autopkgtest\.\w+$/);
    expect(existsSync(scratch)).toBe(false);
  });
});

describeWith(['tar', 'python3'], 'artifacts of every kind', () => {
  test('come as they are, and reach nothing outside', async () => {
    const place = workplace();
    const outside = join(place, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'untouched');
    const script = `cd "$AUTOPKGTEST_ARTIFACTS"
ln -s ${outside} directory-link; ln -s ${outside}/file file-link; ln -s ../../../../../../etc/passwd up; ln -s nowhere dangling
mkfifo fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
echo x >"$(printf 'new\\nline')"; echo x >-rf; echo x >'*'; mkdir 'a b'; echo x >'a b/c'
chmod 000 -- -rf`;
    const { status, out, stderr } = await runOf(place, { keeps: script });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('ERROR')]);
    const kept = join(out, 'artifacts/keeps');
    expect(readdirSync(kept).toSorted()).toEqual(
      expect.arrayContaining(['*', '-rf', 'a b', 'dangling', 'directory-link', 'fifo', 'file-link', 'new\nline', 'up']),
    );
    expect(readlinkSync(join(kept, 'directory-link'))).toBe(outside);
    expect(lstatSync(join(kept, 'fifo')).isFIFO()).toBe(true);
    expect(readFileSync(join(kept, 'a b/c'), 'utf8')).toBe('x\n');
    expect(readdirSync(outside)).toEqual(['file']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('untouched');
  });
});

describe('a directory that is no package', () => {
  test.each([
    ['is empty', {}, 'it has neither debian/control nor debian/tests/control'],
    ['has a file called debian', { debian: 'x' }, 'it has neither debian/control nor debian/tests/control'],
  ])('%s: is refused', async (_how, files, problem) => {
    const place = workplace();
    const source = join(place, 'source');
    mkdirSync(source);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(source, name), content);
    const end = await cli(['run', source, '--', 'null'], { env: ownState() });
    expect([end.status, end.stdout]).toEqual([20, '']);
    expect(end.stderr).toContain(problem);
  });

  test('has no tests: there is nothing to say about it', async () => {
    const source = makePackage(workplace(), { control: '' });
    const end = await cli(['run', source, '--', 'null'], { env: ownState() });
    expect(end.status).toBe(8);
    expect(end.stdout).toContain('*                    SKIP no tests in this package\n');
  });

  test('has something else where its control file should be', async () => {
    const place = workplace();
    const source = makePackage(place, { tests: { fine: 'true' } });
    execFileSync('sh', ['-c', 'rm "$1" && mkdir "$1"', 'sh', join(source, 'debian/tests/control')]);
    const end = await cli(['run', source, '--', 'null'], { env: ownState() });
    expect(end.status).toBe(12);
    expect(end.stderr).toContain('erroneous package: debian/tests/control is not a file');
  });
});

describeWith(['root', 'useradd', 'tar'], 'a package that the user may not read', () => {
  test.each([
    [
      'debian/tests/control',
      20,
      /wrong usage while reading the package: debian\/tests\/control cannot be read: EACCES/,
    ],
    ['data', 20, /wrong usage while copying .*: data of .* may not be read by this user/],
  ])('at %s ends the run with what cannot be read', async (file, status, problem) => {
    const user = forThisTest(makeOrdinaryUser());
    const source = makePackage(user.home, { tests: { fine: 'true' }, files: { data: 'x' } });
    chmodSync(join(source, file), 0);
    const words = ['run', '-o', join(user.home, 'out'), source, '--', 'null'];
    const script = 'cd "$HOME" && exec "$@"';
    const become = [
      '-s',
      '/bin/sh',
      user.login,
      '-c',
      script,
      '--',
      'sh',
      process.execPath,
      join(root, 'dist/bin.cjs'),
    ];
    const child = spawn('su', [...become, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(said).toMatch(problem);
    expect(code).toBe(status);
  });
});
