import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Cli, cli } from '../e2e/support/cli.ts';
import { tinyImage } from '../support/images.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';

describeWith(['root', 'unshare', 'busybox', 'tar', 'proc'], 'a run in namespaces that was killed', () => {
  test('takes its testbed with it, and leaves only files, which reap removes', async () => {
    const directory = workplace();
    const shared = workplace();
    const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
    const trace = join(directory, 'trace');
    using lifeline = makeLifeline(shared);
    const image = tinyImage(join(directory, 'tiny.tar'));
    // A daemon in the testbed holds the lifeline, besides the command itself.
    const inside = lifeline.linger.replaceAll(shared, '/srv');
    const running = new Cli(
      [
        'exec',
        '--trace',
        trace,
        '-n',
        'sh',
        '-c',
        `(${inside}) & wait`,
        '--',
        'unshare',
        '--tarball',
        image,
        '--bind',
        `${shared}:/srv`,
      ],
      { env },
    );
    await lifeline.held;
    running.process.kill('SIGKILL');
    await running.ended;
    // Nobody ended the testbed but the end of its runner.
    await lifeline.released;
    expect(readdirSync(env.TMPDIR)).toHaveLength(1);
    const reaped = await cli(['reap', '--json', `${trace}/`], { env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  test('while it unpacks leaves no half of an image, once reap was there', async () => {
    const directory = workplace();
    const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
    const trace = join(directory, 'trace');
    const image = tinyImage(join(directory, 'tiny.tar'));
    using lifeline = makeLifeline(directory);
    // A tar that is not done before it is killed.
    const programs = join(directory, 'bin');
    mkdirSync(programs);
    writeFileSync(join(programs, 'tar'), `#!/bin/sh\n${lifeline.linger}\n`, { mode: 0o755 });
    const words = ['exec', '--trace', trace, 'true', '--', 'unshare', '--tarball', image];
    const running = new Cli(words, { env: { ...env, PATH: `${programs}:${process.env.PATH}` } });
    await lifeline.held;
    running.process.kill('SIGKILL');
    await running.ended;
    await lifeline.released;
    const images = join(env.XDG_CACHE_HOME, 'trundle/images');
    const halves = () => readdirSync(images).filter((name) => !name.endsWith('.lock'));
    expect(halves()).toHaveLength(1);
    const reaped = await cli(['reap', '--json', `${trace}/`], { env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [] }]);
    expect(halves()).toEqual([]);
    // The lock went with its holder, so that the next run can use the cache.
    const end = await cli(['exec', 'echo', 'hello', '--', 'unshare', '--tarball', image], { env });
    expect([end.status, end.stdout]).toEqual([0, 'hello\n']);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s while an image is made takes with it all that was mounted and started for that',
    async (signal) => {
      const directory = workplace();
      const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
      const trace = join(directory, 'trace');
      using lifeline = makeLifeline(directory);
      // One that is not done, has mounted something, and has a child in a session of its own.
      const programs = join(directory, 'bin');
      mkdirSync(programs);
      const script = `for word; do case $word in /*.tar.*) echo half >"$word" ;; esac; done
mkdir "$TMPDIR/chroot"
mount -t tmpfs none "$TMPDIR/chroot"
setsid sh -c "${lifeline.linger}" &
wait`;
      writeFileSync(join(programs, 'mmdebstrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const mounts = () =>
        readFileSync('/proc/self/mounts', 'utf8')
          .split(/[ \n]/)
          .filter((path) => path.startsWith(env.TMPDIR));
      onTestFinished(() => {
        for (const path of mounts()) execFileSync('umount', [path]);
      });
      const image = ['unshare', '--bootstrap', '--release', 'stable', '--mirror', 'http://deb.example.org/debian'];
      const running = new Cli(['exec', '--trace', trace, '-n', 'true', '--', ...image], {
        env: { ...env, PATH: `${programs}:${process.env.PATH}` },
      });
      await lifeline.held;
      expect(mounts()).toEqual([]);
      running.kill(signal);
      await running.ended;
      await lifeline.released;
      const reaped = await cli(['reap', '--json', `${trace}/`], { env });
      const outcome = signal === 'SIGKILL' ? 'finished' : 'clean';
      expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome, left: [] }]);
      expect(readdirSync(env.TMPDIR)).toEqual([]);
      const tarballs = readdirSync(join(env.XDG_CACHE_HOME, 'trundle/bootstrap'));
      expect(tarballs).toEqual([expect.stringMatching(/\.tar\.lock$/)]);
    },
  );
});
