import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workplace } from '../support/workplace.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

const NOT_THERE = { control: 'Tests: a\nDepends:\n', tests: { a: 'true\n' }, built: true };

test('a test that is a link to itself is none: the package is to blame', async () => {
  const place = workplace();
  const source = makePackage(place, 'pkg', NOT_THERE);
  rmSync(join(source, 'debian/tests/a'));
  symlinkSync('a', join(source, 'debian/tests/a'));
  const { report, stderr } = await runHere({ source, outputDir: join(place, 'out') });
  expect(report).toMatchObject({ exitCode: 12, cause: { class: 'bad-package' } });
  expect(stderr()).toContain('debian/tests/a does not exist (debian/tests/control:1)');
});

test('a test that another file names is not looked for in debian/tests/control', async () => {
  const place = workplace();
  const source = makePackage(place, 'pkg', NOT_THERE);
  const overrideControl = join(place, 'other');
  mkdirSync(join(source, 'more'));
  writeFileSync(overrideControl, '\nTests: b\nDepends:\nTests-Directory: more\n');
  const { report, stderr } = await runHere({ source, outputDir: join(place, 'out'), overrideControl });
  expect(report).toMatchObject({ exitCode: 12, cause: { class: 'bad-package' } });
  expect(stderr()).toContain(`more/b does not exist (${overrideControl}:2)`);
});
