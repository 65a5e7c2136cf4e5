import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

const LEAVES = String.raw`
cd "$AUTOPKGTEST_ARTIFACTS"
mkdir -p deep/er && echo kept >deep/er/file && mkfifo deep/pipe
ln -s loop-b loop-a && ln -s loop-a loop-b && ln -s . deep/self && ln -s /etc/passwd deep/out
mknod deep/null c 1 3 && ln deep/null deep/er/null-again && mknod "a block b" b 7 200
python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('deep/socket')"
printf x >"$(printf 'odd\nname \\ \303\244 \377')"
`;

describeWith(['root', 'mknod', 'python3'], "a test's artifacts", () => {
  it('are kept but for devices and sockets, which are named', async () => {
    const place = workplace();
    const source = makePackage(place, 'pkg', {
      control: 'Tests: leaves\nDepends:\nRestrictions: needs-root\n\nTests: next\nDepends:\n',
      tests: { leaves: LEAVES, next: 'echo more >"$AUTOPKGTEST_ARTIFACTS/more"\n' },
      built: true,
    });
    const outputDir = path.join(place, 'out');
    const { report, stderr } = await runHere({ source: `${source}/`, outputDir });
    expect(report.exitCode, stderr()).toBe(0);

    const kept = path.join(outputDir, 'artifacts/leaves');
    // Not by readdir, which goes around in circles where links do.
    const found = execFileSync('find', ['.', '-mindepth', '1', '-print0'], { cwd: kept, encoding: 'latin1' });
    expect(found.split('\0').sort()).toEqual([
      '',
      ...['./deep', './deep/er', './deep/er/file', './deep/out', './deep/pipe', './deep/self', './loop-a', './loop-b'],
      './odd\nname \\ \u00c3\u00a4 \u00ff',
    ]);
    expect(readFileSync(path.join(kept, 'deep/er/file'), 'utf8')).toBe('kept\n');
    expect(readlinkSync(path.join(kept, 'loop-a'))).toBe('loop-b');
    expect(lstatSync(path.join(kept, 'deep/out')).isSymbolicLink()).toBe(true);
    expect(readFileSync(path.join(outputDir, 'artifacts/next/more'), 'utf8')).toBe('more\n');

    const [warning = ''] = readFileSync(path.join(outputDir, 'log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('left out'));
    expect(warning).toContain('WARNING: artifacts of leaves: ');
    for (const name of ['deep/null', 'deep/er/null-again', 'a block b', 'deep/socket'])
      expect(warning).toContain(JSON.stringify(name));
  });
});
