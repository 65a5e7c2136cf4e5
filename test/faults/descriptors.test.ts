import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { root } from '../e2e/support/cli.ts';
import { tinyRoot } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';

/** By the exit status. */
const WHAT_IS_SAID: Readonly<Record<number, RegExp>> = {
  0: /smoke +PASS/,
  16: /no file descriptor is left|closed by the other side/,
};

describeWith(['root', 'busybox', 'prlimit'], 'a run that may open few files', () => {
  // From too few to start the first program of a testbed, to enough for all that this machine starts. The limit is one
  // of the programs in a chroot too: where ours is enough for us, it may be too small for the image's sshd.
  test.each([22, 26, 30, 34, 38])('%d at once, ends in order and says why', async (files) => {
    const place = workplace();
    const chroot = tinyRoot(join(place, 'root'));
    const env = { ...process.env, TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
    const source = makePackage(place, { tests: { smoke: 'true' } });
    const words = [join(root, 'dist/bin.cjs'), 'run', '-B', source, '--', 'chroot', chroot];
    // In a process group of its own, which it must not end.
    const run = spawn('prlimit', [`--nofile=${files}`, '--', process.execPath, ...words], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const [[status, signal], ...texts] = await Promise.all([once(run, 'close'), text(run.stdout), text(run.stderr)]);
    const said = texts.join('');
    expect(said).not.toContain('fault of Trundle');
    expect(signal).toBe(null);
    expect(said).toMatch(WHAT_IS_SAID[status] ?? 'another exit status');
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });
});
