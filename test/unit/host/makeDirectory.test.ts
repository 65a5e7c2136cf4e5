import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectory } from '../../../src/host/index.ts';
import { workplace } from '../../support/workplace.ts';

describe('making a directory of this machine', () => {
  test('makes those above it as well, all with the mode asked for', () => {
    const place = workplace();
    makeDirectory(join(place, 'a/b/c'), 0o700);
    for (const each of ['a', 'a/b', 'a/b/c']) expect(statSync(join(place, each)).mode & 0o7777).toBe(0o700);
  });

  test('leaves what is there as it is, a link to a directory too', () => {
    const place = workplace();
    mkdirSync(join(place, 'there'));
    chmodSync(join(place, 'there'), 0o751);
    symlinkSync('there', join(place, 'link'));
    makeDirectory(join(place, 'there'), 0o700);
    makeDirectory(join(place, 'link/below'));
    makeDirectory(join(place, 'link'));
    makeDirectory(`${join(place, 'there/below')}/`);
    expect(statSync(join(place, 'there')).mode & 0o7777).toBe(0o751);
    expect(statSync(join(place, 'there/below')).isDirectory()).toBe(true);
  });

  test.each(['/proc/nope', '/proc/nope/state/trundle', '/proc/self/x/y', '/sys/nope/x/y'])(
    'comes back with an error where the file system makes no directories: %s',
    (path) => {
      expect(() => makeDirectory(path)).toThrow(/^(ENOENT|EPERM|EACCES|EROFS): .*, mkdir '\/(proc|sys)\//);
    },
  );

  test('names the file that stands in the way', () => {
    const place = workplace();
    writeFileSync(join(place, 'file'), '');
    symlinkSync('nowhere', join(place, 'dangling'));
    expect(() => makeDirectory(join(place, 'file'))).toThrow('EEXIST');
    expect(() => makeDirectory(join(place, 'file/x'))).toThrow('ENOTDIR');
    expect(() => makeDirectory(join(place, 'dangling/x'))).toThrow(`EEXIST: file already exists, mkdir '${place}/dang`);
  });
});
