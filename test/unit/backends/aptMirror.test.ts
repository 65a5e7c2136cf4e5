import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../src/backends/shared/images/aptMirror.ts';

const TARGETS = [
  'bookworm|oldstable|http://deb.example.org/main/|main',
  'bookworm|oldstable|http://deb.example.org/main/|contrib',
  'bookworm-updates|oldstable-updates|http://deb.example.org/main/|main',
  'bookworm-security|oldstable-security|http://deb.example.org/fixes/|main',
  'bookworm-backports|oldstable-backports|http://deb.example.org/main/|main',
  '',
].join('\n');

describe('where apt of this machine takes a release from', () => {
  test('is the release, its updates and its security fixes', () => {
    expect(linesOf(TARGETS, 'bookworm')).toEqual([
      'deb http://deb.example.org/main/ bookworm main contrib',
      'deb http://deb.example.org/main/ bookworm-updates main',
      'deb http://deb.example.org/fixes/ bookworm-security main',
    ]);
  });

  test('is told in the words in which the release was asked for', () => {
    expect(linesOf(TARGETS, 'oldstable')[0]).toBe('deb http://deb.example.org/main/ oldstable main contrib');
  });

  test('is nowhere where apt knows only of its fixes, or nothing of it', () => {
    expect(linesOf(TARGETS.split('\n').slice(2).join('\n'), 'bookworm')).toEqual([]);
    expect(linesOf(TARGETS, 'trixie')).toEqual([]);
    expect(linesOf('', 'trixie')).toEqual([]);
  });
});
