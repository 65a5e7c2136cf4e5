import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { IMAGE_PATIENCE, imageDirectory } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { type ArchiveCache, archiveCache, expectedDigests } from './support/archiveCache.ts';
import { ours, theirs } from './support/bothSides.ts';
import { type Testbeds, testbeds, USER } from './support/testbeds.ts';

/** Small source packages of Debian 12 with tests of their own that need little. */
const PACKAGES = [
  'an',
  'cisco7crack',
  'delay',
  'disk-filltest',
  'file-kanji',
  'flog',
  'galleta',
  'letterize',
  'morsegen',
  'mp3rename',
  'pipebench',
  'ssss',
];

let place: Testbeds;
let cache: ArchiveCache;
let directory: string;
beforeAll(async () => {
  place = testbeds();
  cache = await archiveCache(path.join(imageDirectory(), 'archive'), expectedDigests(place.image));
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-archive-'));
}, IMAGE_PATIENCE);
afterAll(async () => {
  await cache?.[Symbol.asyncDispose]();
  place?.[Symbol.dispose]();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

describeWith(
  ['root', 'schroot', 'mmdebstrap', 'autopkgtest', 'overlay', 'archive'],
  'a package of Debian gets the verdict that autopkgtest gives, fetched and tested in the testbed',
  () => {
    for (const name of PACKAGES) {
      it(name, async ({ expect }) => {
        const own = mkdtempSync(path.join(directory, `${name}-`));
        const words = [...USER, ...cache.words, name];
        const [reference, schroot, unshare] = await Promise.all([
          theirs(own, words, place.schroot),
          ours('schroot', own, words, place.schroot),
          ours('unshare', own, words, place.unshare),
        ]);
        expect(schroot).toEqual(reference);
        expect(unshare).toEqual(reference);
      });
    }
  },
);
