import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMachines } from '../../src/machines/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { BACKENDS } from '../contract/support/backends.ts';
import { EventLog } from '../support/eventLog.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

/** Tells which boot it is, keeps that as an artifact, and goes on after each reboot where it was. */
const REBOOTS = `#!/bin/sh
set -e
cut -d ' ' -f 22 /proc/1/stat >>"$AUTOPKGTEST_ARTIFACTS/boots"
cat /run/booted
case $AUTOPKGTEST_REBOOT_MARK in
'')
  echo first; echo tree >made; echo temporary >"$AUTOPKGTEST_TMP/made"
  sleep 600 &
  (/tmp/autopkgtest-reboot 'a mark'; echo never; touch /var/never)
  echo never ;;
'a mark')
  echo second; cat made "$AUTOPKGTEST_TMP/made"
  autopkgtest-reboot two ;;
two)
  echo "third $ADT_REBOOT_MARK"; sort -u "$AUTOPKGTEST_ARTIFACTS/boots" | wc -l
  [ ! -e /var/never ] ;;
esac
`;

/** Not root, with a mark that a shell could misread; and it is told that it asked in the wrong way. */
const ORDINARY = `#!/bin/sh
id -un
if [ -z "$AUTOPKGTEST_REBOOT_MARK" ]; then
  /tmp/autopkgtest-reboot 2>/dev/null || echo refused
  /tmp/autopkgtest-reboot 'it'"'"'s $HOME'
fi
printf '%s\\n' "$AUTOPKGTEST_REBOOT_MARK"
`;

/** Reboots by itself, once in a script that ends and once in one that would not; what it says until then is kept. */
const BY_ITSELF = `#!/bin/sh
cut -d ' ' -f 22 /proc/1/stat >>"$AUTOPKGTEST_ARTIFACTS/boots"
by_itself() { { systemctl reboot || reboot; } >/dev/null 2>&1 </dev/null; }
case $AUTOPKGTEST_REBOOT_MARK in
'')
  /tmp/autopkgtest-reboot-prepare 2>/dev/null || echo refused
  echo first; echo tree >made
  printf '#!/bin/sh\\necho another kernel\\n' >/usr/local/bin/uname; chmod 755 /usr/local/bin/uname
  /tmp/autopkgtest-reboot-prepare "it's time"
  echo second; by_itself; exit 3 ;;
"it's time")
  echo third; cat made
  autopkgtest-reboot-prepare last; by_itself; while :; do sleep 60; done ;;
last)
  echo "fourth $ADT_REBOOT_MARK"; sort -u "$AUTOPKGTEST_ARTIFACTS/boots" | wc -l ;;
esac
`;

const REBOOTING = BACKENDS.filter(
  ({ capabilities, spared }) => capabilities.includes('reboot') && !spared?.includes('reboots of tests'),
);

for (const backend of REBOOTING) {
  describeWith(backend.needs, `a test on ${backend.name}`, () => {
    test(
      'reboots its testbed and goes on, with all that it made',
      async () => {
        const place = workplace();
        await using made = await backend.prepare();
        const source = makePackage(place, 'pkg', {
          control:
            'Tests: reboots\nDepends:\nRestrictions: needs-reboot needs-root\n\nTests: ordinary\nDepends:\nRestrictions: needs-reboot\n',
          tests: { reboots: REBOOTS, ordinary: ORDINARY },
        });
        const [outputDir, trace] = [join(place, 'out'), join(place, 'trace')];
        let log: EventLog | undefined;
        const { report } = await runHere(
          {
            ...{ source, outputDir, trace },
            setupCommandsBoot: ['echo booted >>/run/booted'],
            onRun: (run) => {
              log = new EventLog(run.events$);
            },
          },
          made.backend,
        );
        const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
        expect(report).toMatchObject({ exitCode: 0, cause: null });
        const boots = ['booted', 'first', 'booted', 'second', 'tree', 'temporary', 'booted', 'third two', '3'];
        expect(read('reboots-stdout').trimEnd().split('\n')).toEqual(boots);
        expect(read('artifacts/reboots/boots').trimEnd().split('\n')).toHaveLength(3);
        const ordinary = made.ordinary ?? '';
        expect(read('ordinary-stdout')).toBe(`${ordinary}\nrefused\n${ordinary}\nit's $HOME\n`);
        expect(read('log')).toContain('test process requested reboot with marker a mark');

        expect(log?.all('test.suspended').map(({ mark }) => mark)).toEqual(['a mark', 'two', "it's $HOME"]);
        expect(log?.all('test.resumed').map(({ mark }) => mark)).toEqual(['a mark', 'two', "it's $HOME"]);
        const proofs = log?.all('reboot.proven') ?? [];
        expect(proofs).toHaveLength(3);
        for (const { before, after } of proofs) expect(after).not.toBe(before);
        expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
      },
      IMAGE_PATIENCE,
    );

    test(
      'reboots it by itself, and goes on',
      async () => {
        const place = workplace();
        await using made = await backend.prepare();
        const source = makePackage(place, 'pkg', {
          control: 'Tests: by-itself, after\nDepends:\nRestrictions: needs-reboot needs-root\n',
          tests: { 'by-itself': BY_ITSELF, after: 'echo after\n' },
        });
        const [outputDir, trace] = [join(place, 'out'), join(place, 'trace')];
        let log: EventLog | undefined;
        const { report } = await runHere(
          {
            ...{ source, outputDir, trace },
            onRun: (run) => {
              log = new EventLog(run.events$);
            },
          },
          made.backend,
        );
        const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
        expect(report).toMatchObject({ exitCode: 0, cause: null });
        const said = read('by-itself-stdout').trimEnd().split('\n');
        // What it says after it was let go may be lost with the boot.
        expect(said.filter((line) => line !== 'second')).toEqual([
          ...['refused', 'first', 'third', 'tree', 'fourth last', '3'],
        ]);
        expect(read('after-stdout')).toBe('after\n');
        expect(read('log')).toContain("test process requested preparation for reboot with marker it's time");

        expect(JSON.parse(read('testinfo.json')).test_kernel_versions?.slice(0, 2)).toEqual([
          ...[
            ['by-itself', "it's time", 'another kernel'],
            ['by-itself', 'last', 'another kernel'],
          ],
        ]);

        expect(log?.all('test.resumed').map(({ mark }) => mark)).toEqual(["it's time", 'last']);
        expect(log?.all('reboot.requested').every(({ line }) => line !== undefined)).toBe(true);
        const proofs = log?.all('reboot.proven') ?? [];
        expect(proofs).toHaveLength(2);
        for (const { before, after } of proofs) expect(after).not.toBe(before);
        expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
      },
      IMAGE_PATIENCE,
    );
  });
}
