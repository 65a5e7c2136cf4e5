import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { architectureObstacle, listCovers, matchesArchitecture } from '../../../src/runner/control/architecture.ts';
import { describeWith } from '../../support/needs.ts';

describe('an architecture wildcard', () => {
  it.each([
    ['amd64', 'amd64', true],
    ['amd64', 'any', true],
    ['amd64', 'linux-any', true],
    ['amd64', 'any-amd64', true],
    ['x32', 'any-amd64', true],
    ['armhf', 'any-arm', true],
    ['armhf', 'armel', false],
    ['amd64', 'any-i386', false],
    ['amd64', 'hurd-any', false],
    ['hurd-amd64', 'any-amd64', true],
    ['hurd-amd64', 'gnu-any-any', true],
    ['kfreebsd-amd64', 'linux-any', false],
    ['musl-linux-amd64', 'linux-any', true],
    ['musl-linux-amd64', 'gnu-linux-any', false],
  ])('%s is meant by %s: %s', (architecture, wildcard, expected) => {
    expect(matchesArchitecture(architecture, wildcard)).toBe(expected);
  });
});

describe('an architecture list', () => {
  it('covers what it names, or all but what it excludes', () => {
    expect(listCovers([], 'amd64')).toBe(true);
    expect(listCovers(['arm64', 'any-amd64'], 'amd64')).toBe(true);
    expect(listCovers(['arm64'], 'amd64')).toBe(false);
    expect(listCovers(['!arm64'], 'amd64')).toBe(true);
    expect(listCovers(['!any-amd64'], 'amd64')).toBe(false);
  });
});

describe('the Architecture field of a test', () => {
  it.each([
    [[], null],
    [['any'], null],
    [['linux-any'], null],
    [['!amd64'], 'Test declares architecture as not supported: amd64'],
    [
      ['arm64', 'any-i386'],
      "Test lists explicitly supported architectures, but the current architecture amd64 isn't listed.",
    ],
    [['all'], "Arch 'all' not allowed in Architecture field"],
    [
      ['amd64', '!arm64'],
      "It is not permitted for some archs to be prepended by an exclamation mark while others aren't",
    ],
  ])('%j on amd64', (list, reason) => expect(architectureObstacle(list, 'amd64')).toBe(reason));
});

describeWith(['dpkg-source'], 'an architecture wildcard on a Debian system', () => {
  it('means what dpkg takes it to mean', () => {
    const architectures = [
      'amd64',
      'i386',
      'arm64',
      'armhf',
      'armel',
      'x32',
      'mips64el',
      'mipsn32el',
      'powerpcspe',
      'riscv64',
      'hurd-i386',
      'musl-linux-arm64',
      'uclinux-armel',
      'kfreebsd-amd64',
      'openbsd-amd64',
      'solaris-sparc',
    ];
    const wildcards = [
      'any',
      'linux-any',
      'any-any',
      'any-amd64',
      'any-arm',
      'any-mips64el',
      'any-powerpc',
      'gnu-linux-any',
      'musl-any-any',
      'musl-linux-any',
      'hurd-any',
      'any-any-any-arm',
      'eabihf-any-any-any',
      'bsd-any-any',
      'any-hurd-i386',
      'amd64',
      'armhf',
    ];
    const pairs = architectures.flatMap((architecture) =>
      wildcards.map((wildcard) => [architecture, wildcard] as const),
    );
    const program = 'while (my ($a, $w) = splice(@ARGV, 0, 2)) { print Dpkg::Arch::debarch_is($a, $w) ? "y" : "n" }';
    const answers = execFileSync('perl', ['-mDpkg::Arch', '-e', program, ...pairs.flat()], { encoding: 'utf8' });
    const ours = pairs.map(
      ([architecture, wildcard]) =>
        `${architecture} ${wildcard} ${matchesArchitecture(architecture, wildcard) ? 'y' : 'n'}`,
    );
    expect(ours).toEqual(
      pairs.map(([architecture, wildcard], index) => `${architecture} ${wildcard} ${answers[index]}`),
    );
  });
});
