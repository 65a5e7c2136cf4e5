import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BACKENDS } from '../contract/support/backends.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

/** Leaves a process in a session of its own, with `how` in the shell, and waits until it is there. */
const leaving = (how: string) => `#!/bin/sh
setsid sh -c 'echo $$ >pid; exec sleep 600' ${how} &
until [ -s pid ]; do sleep 0.1; done
cat pid
`;
/** A process that has ended and that nobody has waited for is gone. */
const GONE = `case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$(cat pid)/status" 2>/dev/null) in
''|Z*) echo gone ;;
*) echo alive ;;
esac`;

const SHARED = ['null', 'unshare as root, by the stand-in', 'chroot of a tarball, by its sshd'];

for (const backend of BACKENDS.filter(({ name }) => SHARED.includes(name))) {
  describeWith([...backend.needs, 'setsid'], `a test on ${backend.name} that leaves a daemon`, () => {
    test.each([
      ['that has closed all', '</dev/null >/dev/null 2>&1'],
      ['that holds its output', ''],
    ])(
      '%s: it is ended, and named',
      async (_, how) => {
        const place = workplace();
        await using made = await backend.prepare();
        const source = makePackage(place, 'pkg', {
          control: 'Tests: leaks, clean\nDepends:\n',
          tests: { leaks: leaving(how), clean: `[ -e pid ] || exit 0\n${GONE}\n` },
        });
        const outputDir = join(place, 'out');
        const { report } = await runHere({ source, outputDir }, made.backend);
        expect(report).toMatchObject({ exitCode: 0, cause: null });
        const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
        const pid = read('leaks-stdout').trim();
        expect(read('log')).toMatch(/WARNING: test leaks: it left processes behind; they were ended$/m);
        expect(read('log')).toContain(`test leaks: ended ${pid} sleep 600`);
        expect(read('log')).not.toContain('WARNING: test clean');
        const { tests } = JSON.parse(read('results.json'));
        expect(tests).toMatchObject([
          { test: 'leaks', outcome: 'pass', leaked: true },
          { test: 'clean', outcome: 'pass', leaked: false },
        ]);
        // Elsewhere the testbed was put back meanwhile.
        if (backend.name === 'null') expect(read('clean-stdout')).toBe('gone\n');
      },
      IMAGE_PATIENCE,
    );
  });
}

describeWith(['setsid'], 'a test that leaves a daemon and a process of its own group', () => {
  test('both are ended, and the daemon is named', async () => {
    const place = workplace();
    const both = `#!/bin/sh
sleep 601 </dev/null >/dev/null 2>&1 &
echo $! >member
${leaving('</dev/null >/dev/null 2>&1').replace('#!/bin/sh\n', '')}`;
    const source = makePackage(place, 'pkg', {
      control: 'Tests: leaks, clean\nDepends:\n',
      tests: { leaks: both, clean: `${GONE}\nmv member pid\n${GONE}\n` },
    });
    const outputDir = join(place, 'out');
    const { report } = await runHere({ source, outputDir });
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
    expect(read('log').match(/ended \d+ .*/g)).toEqual([`ended ${read('leaks-stdout').trim()} sleep 600 `]);
    expect(read('log').match(/left processes behind/g)).toHaveLength(1);
    expect(read('clean-stdout')).toBe('gone\ngone\n');
  });
});

const RULES = `#!/usr/bin/make -f
clean:
build:
	sh daemon
binary:
	mkdir -p debian/pkg/DEBIAN
	dpkg-gencontrol -ppkg -Pdebian/pkg
	dpkg-deb --root-owner-group --build debian/pkg ..
`;

describeWith(['setsid', 'gcc', 'dpkg-source', 'root'], 'a build that leaves a daemon', () => {
  test('it is ended before the tests, and named', async () => {
    const place = workplace();
    const source = makePackage(place, 'pkg', {
      control: ['Test-Command: cat pid', 'Tests: clean']
        .map((test) => `${test}\nDepends:\nRestrictions: build-needed\n`)
        .join('\n'),
      tests: { clean: GONE },
      files: {
        'debian/rules': RULES,
        daemon: leaving('</dev/null >/dev/null 2>&1'),
      },
    });
    const outputDir = join(place, 'out');
    const { report } = await runHere({ source, outputDir });
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
    expect(read('log')).toMatch(/WARNING: the build left processes behind; they were ended$/m);
    expect(read('log')).toContain(`the build: ended ${read('command1-stdout').trim()} sleep 600`);
    expect(read('clean-stdout')).toBe('gone\n');
  });
});
