import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { setUpOptions } from '../../../src/runner/setUpOptions.ts';
import { describeWith } from '../../support/needs.ts';

test('commands that name no file are what they are', () => {
  expect(setUpOptions({ setupCommands: ['echo hi', '..x'] }).commands).toEqual(['echo hi', '..x']);
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
