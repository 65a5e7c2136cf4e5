import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { setUpOptions } from '../../../src/runner/setUpOptions.ts';
import { describeWith } from '../../support/needs.ts';

test('commands that name no file are what they are', () => {
  expect(setUpOptions({ setupCommands: ['echo hi', '..x'] }).commands).toEqual(['echo hi', '..x']);
});

test('what is to be copied is a file or a directory', () => {
  expect(() => setUpOptions({ copy: ['/dev/null:/etc/empty'] })).toThrow(
    '--copy /dev/null:/etc/empty: /dev/null is neither a file nor a directory',
  );
  expect(() => setUpOptions({ copy: ['/no/such:/x'] })).toThrow('/no/such does not exist on this machine');
  expect(() => setUpOptions({ copy: [`/${'x'.repeat(300)}:/x`] })).toThrow(/: it cannot be read: ENAMETOOLONG/);
});

describeWith(['autopkgtest'], "autopkgtest's own scripts", () => {
  test('are known by their names', () => {
    const shipped = readFileSync('/usr/share/autopkgtest/setup-commands/create-normal-user', 'utf8').trim();
    const words = ['create-normal-user'];
    expect(setUpOptions({ setupCommands: words, setupCommandsBoot: words })).toEqual({
      copies: [],
      commands: [shipped],
      bootCommands: [shipped],
    });
  });
});
