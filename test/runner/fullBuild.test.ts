import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { makePackage } from './support/packages.ts';
import { TRUNDLE } from './support/sides.ts';

/** Builds a package on this machine, with little room in /tmp, where the testbed has its files. */
function built(rules: string) {
  const place = mkdtempSync('/var/tmp/trundle-test-');
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const source = makePackage(place, 'pkg', {
    control: 'Tests: a\nDepends:\nRestrictions: build-needed\n',
    tests: { a: 'true\n' },
    files: { 'debian/rules': `#!/usr/bin/make -f\nclean:\nbuild:\n\t${rules}\nbinary:\n` },
  });
  const out = path.join(place, 'out');
  const script = 'mount -t tmpfs -o size=4m none /tmp && exec "$@"';
  const words = [...TRUNDLE, '-o', out, `${source}/`, '--', 'null'];
  const { status, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', ...words], {
    encoding: 'utf8',
    env: { ...process.env, XDG_STATE_HOME: path.join(place, 'state'), TMPDIR: '/tmp' },
  });
  const results = JSON.parse(readFileSync(path.join(out, 'results.json'), 'utf8'));
  return { status, stderr, cause: results.cause };
}

describeWith(['root', 'tmpfs', 'dpkg-source', 'gcc'], 'a build', () => {
  it('for which the testbed has no room is no fault of the package', () => {
    const { status, stderr, cause } = built('head -c 9000000 /dev/zero >big');
    expect(status, stderr).toBe(16);
    expect(cause).toMatchObject({ class: 'testbed-disk-full', doing: 'building the package', phase: 'provision' });
    expect(cause.detail).toContain('No space left on device');
  });

  it('that only says so is one', () => {
    const { status, stderr, cause } = built('echo no: No space left on device; false');
    expect(status, stderr).toBe(12);
    expect(cause).toMatchObject({ class: 'bad-package' });
  });
});
