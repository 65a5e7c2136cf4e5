import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endingSignals, startedByNohup } from '../../../src/cli/live/endingSignals.ts';
import { workplace } from '../../support/workplace.ts';

/** What proc(5) tells of a process whose standard input is a file that was opened with these flags. */
function self(input: string, flags: string): string {
  const place = workplace();
  mkdirSync(join(place, 'fd'));
  mkdirSync(join(place, 'fdinfo'));
  symlinkSync(input, join(place, 'fd/0'));
  writeFileSync(join(place, 'fdinfo/0'), `pos:\t0\nflags:\t${flags}\nmnt_id:\t24\n`);
  return place;
}

test('tells by what a shell started that it was nohup', () => {
  const place = self('/dev/pts/3', '02');
  expect(startedByNohup({ _: '/usr/bin/nohup' }, place)).toBe(true);
  expect(startedByNohup({ _: '/usr/bin/trundle' }, place)).toBe(false);
  expect(startedByNohup({}, place)).toBe(false);
});

test.each([
  ['/dev/null', '0100001', true],
  ['/dev/null', '01', true],
  ['/dev/null', '0100000', false],
  ['/dev/null', '02', false],
  ['/tmp/log', '0100001', false],
])('tells by a standard input %s with flags %s whether it was nohup: %s', (input, flags, nohup) => {
  expect(startedByNohup({}, self(input, flags))).toBe(nohup);
});

test('takes a process without a standard input for one that nohup did not start', () => {
  expect(startedByNohup({}, workplace())).toBe(false);
});

test('a hang-up ends what nohup did not start', () => {
  expect(endingSignals({ _: '/usr/bin/nohup' })).toEqual(['SIGINT', 'SIGTERM', 'SIGQUIT']);
});
