import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { CauseClass, Phase } from '../../../../src/events/index.ts';
import { exitingSshd, foreign, noShell } from '../spoilt.ts';
import { mountTmpfs } from '../sshServer.ts';
import type { Expected, Kind } from './fault.ts';

/** Faults of what a testbed is made of, and by. */
export const MAKING_KINDS: Readonly<Record<string, Kind>> = {
  'its image is missing': (place) =>
    place.image === null
      ? null
      : {
          what: 'from the start',
          words: (directory) => place.words(join(directory, 'no-such-image')),
          expected: of('provision-failed', 'provision'),
        },
  'its tarball is cut off': (place, draw) => {
    const { tarball } = place;
    if (tarball === null) return null;
    const kept = draw.below(700_000);
    return {
      what: `after ${kept} bytes of its only program`,
      words: (directory) => {
        const file = tarball(join(directory, 'image.tar'));
        truncateSync(file, readFileSync(file).indexOf('\x7fELF', 0, 'latin1') + kept);
        return place.words(file);
      },
      expected: of('provision-failed', 'provision'),
    };
  },
  'its disk is full as it is unpacked': (place) => {
    const { tarball } = place;
    if (tarball === null) return null;
    return {
      what: 'after a mebibyte',
      words: (directory) => {
        const file = tarball(join(directory, 'image.tar'));
        const disk = join(directory, 'disk');
        mountTmpfs(disk, '1m');
        onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
        const usual = process.env.XDG_CACHE_HOME;
        vi.stubEnv('XDG_CACHE_HOME', disk);
        onTestFinished(() => void vi.stubEnv('XDG_CACHE_HOME', usual));
        return place.words(file);
      },
      expected: of('host-disk-full', 'provision'),
    };
  },
  'its image is for another kind of processor': (place) =>
    place.spoil === undefined
      ? null
      : {
          what: 'a VAX',
          words: (directory) => place.words(place.spoil?.(directory, foreign) ?? ''),
          expected: of('boot-failed', 'boot'),
        },
  'its image has no shell': (place) =>
    place.spoil === undefined
      ? null
      : {
          what: 'for the stand-in',
          words: (directory) => place.words(place.spoil?.(directory, noShell) ?? ''),
          expected: of('boot-failed', 'boot'),
        },
  'its image has no sshd': (place) =>
    place.image === null
      ? null
      : {
          what: 'and a login is asked for',
          words: () => place.words(place.image ?? '', 'login'),
          expected: of('boot-failed', 'boot'),
        },
  'its sshd exits': (place, draw) => {
    if (place.spoil === undefined) return null;
    // One attempt has to end within it, also through a client such as podman's on a slow machine.
    const ready = 2500 + draw.below(600);
    return {
      what: `and ${ready} ms are given`,
      words: (directory) => place.words(place.spoil?.(directory, exitingSshd) ?? '', 'login'),
      options: { deadlines: { 'ssh-ready': ready, redial: 500 } },
      expected: of('connection-closed', 'ssh-ready'),
    };
  },
  'nobody has the name that is to log in': (place) => {
    if (place.name === 'ssh') return null;
    const option = place.exists ? '--user' : '--login';
    return {
      what: 'by default',
      words: () => place.words(place.image ?? '', 'stand-in', option, 'nobody-of-this-name'),
      expected: place.exists ? of('provision-failed', 'provision') : of('boot-failed', 'boot'),
    };
  },
  'another has its name': (place) =>
    place.taken === undefined
      ? null
      : {
          what: 'before it',
          words: (directory) => place.taken?.(directory) ?? [],
          expected: of('provision-failed', 'provision'),
        },
  'its program is missing': (place) =>
    place.program === undefined
      ? null
      : {
          what: 'where it is said to be',
          words: (directory) => [place.name, '--program', join(directory, 'nothing'), place.image ?? ''],
          expected: of('provision-failed', 'provision'),
        },
  'its daemon does not run': (place) =>
    place.stopped === undefined
      ? null
      : {
          what: 'where its client looks',
          words: (directory) => {
            const own = join(directory, 'daemon');
            mkdirSync(own);
            return place.stopped?.(own) ?? [];
          },
          expected: of('provision-failed', 'provision'),
        },
};

function of(causeClass: CauseClass, phase: Phase): Expected {
  return { class: causeClass, phase };
}
