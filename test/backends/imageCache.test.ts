import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import type { BackendHost, ConfiguredBackend } from '../../src/backends/contract.ts';
import { configureBackend } from '../../src/backends/index.ts';
import { FileLock } from '../../src/backends/shared/images/FileLock.ts';
import { type CachedImage, ImageCache, type Ownership } from '../../src/backends/shared/images/ImageCache.ts';
import { runProgram } from '../../src/backends/shared/runProgram.ts';
import { openTestbed } from '../../src/testbed/index.ts';
import { tinyImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';

const OWNERSHIP: Ownership = { name: 'root', prefix: [], owners: true };

/** Far more than it ever takes, so that only a fault shows. */
const PATIENCE = 60_000;

/** A run that asks the cache, with what it has taken and not given back. */
function aRun(name: string) {
  const held = new Set<string>();
  const logged: string[] = [];
  const host = {
    run: name,
    testbed: 'tb1',
    acquire: ({ name: resource }: { name: string }) => {
      held.add(resource);
      return () => void held.delete(resource);
    },
    log: (message: string) => void logged.push(message),
  } as unknown as BackendHost;
  return { held, logged, options: { host, signal: AbortSignal.timeout(PATIENCE), ownership: OWNERSHIP } };
}

/** Tarballs that hold one file of a size each. */
async function tarballs(names: readonly string[], bytes = 65_536): Promise<string[]> {
  const place = workplace();
  return await Promise.all(
    names.map(async (name) => {
      const tree = join(place, name);
      mkdirSync(tree);
      writeFileSync(join(tree, 'name'), `${name}\n${'x'.repeat(bytes)}`);
      const file = join(place, `${name}.tar`);
      await runProgram(['tar', '-C', tree, '-cf', file, '.'], { signal: AbortSignal.timeout(PATIENCE) });
      return file;
    }),
  );
}

/** The names of the images that stand in a cache. */
function standing(cache: string): string[] {
  return readdirSync(join(cache, 'images')).filter((name) => !name.endsWith('.lock'));
}

function nameOf({ root }: CachedImage): string {
  return basename(dirname(root));
}

/** Lets an image be the one that was used longest ago. */
function makeOld({ root }: CachedImage): void {
  utimesSync(join(root, '../size'), 1, 1);
}

describeWith(['tar'], 'the cache of unpacked images', () => {
  test('throws away what was used longest ago, until the rest fits', async () => {
    const cache = workplace();
    const [one = '', two = '', three = ''] = await tarballs(['one', 'two', 'three']);
    const roomy = new ImageCache(cache);
    const { options } = aRun('first');
    const first = await roomy.provide(one, options);
    const second = await roomy.provide(two, options);
    makeOld(second);
    // Room for two of them, and not for three.
    const small = new ImageCache(cache, 2 * 90_000);
    const run = aRun('second');
    const third = await small.provide(three, run.options);
    expect(standing(cache).toSorted()).toEqual([nameOf(first), nameOf(third)].toSorted());
    expect(run.logged).toEqual(['image evicted']);
    expect([...run.held]).toEqual([]);
  });

  test('keeps what is used, however old it is and however little room there is', async () => {
    const cache = workplace();
    const [one = '', two = ''] = await tarballs(['one', 'two']);
    const { options } = aRun('first');
    const used = await new ImageCache(cache).provide(one, options);
    makeOld(used);
    const inUse = await FileLock.take(used.lock, options.signal);
    try {
      const other = await new ImageCache(cache, 1).provide(two, options);
      expect(standing(cache).toSorted()).toEqual([nameOf(used), nameOf(other)].toSorted());
    } finally {
      await inUse.free();
    }
  });

  test('gives every run at once a whole image, though there is room for none', async () => {
    const cache = workplace();
    const names = ['one', 'two', 'three', 'four'];
    const files = await tarballs(names);
    // Each run locks what it is given, as the init of a testbed does, and asks again where it had gone by then.
    const script = 'exec 9<"$1"; flock --shared 9; [ -d "$2" ] || exit 92; cat "$2/name" 2>&1';
    const seen = await Promise.all(
      [...files, ...files].map(async (file, number) => {
        const { options, held } = aRun(`run${number}`);
        for (let tries = 1; tries < 100; tries += 1) {
          const { root, lock } = await new ImageCache(cache, 1).provide(file, options);
          const read = await runProgram(['sh', '-c', script, 'sh', lock, root], options);
          if (read.status === 92) continue;
          expect([...held]).toEqual([]);
          return read.stdout.split('\n')[0];
        }
        throw new Error('it was thrown away each time');
      }),
    );
    expect(seen).toEqual([...names, ...names]);
    for (const name of standing(cache)) expect(name).toMatch(/^[0-9a-f]{40}-root$/);
  });
});

describeWith(
  ['root', 'unshare', 'busybox', 'tar', 'overlay', 'systemd-nspawn', 'lxc-start'],
  'an image that leaves the cache',
  () => {
    beforeEach(() => void vi.stubEnv('XDG_CACHE_HOME', workplace()));

    /** The backend, with something that happens just before a testbed is started the first time. */
    function beforeStart(
      backend: ConfiguredBackend,
      happen: (signal: AbortSignal) => Promise<void>,
    ): ConfiguredBackend {
      return {
        ...backend,
        open(host) {
          const verbs = backend.open(host);
          const start = async (signal: AbortSignal) => {
            await happen(signal);
            await verbs.start(signal);
          };
          return new Proxy(verbs, {
            get(_verbs, name: keyof typeof verbs) {
              const value = verbs[name];
              if (name === 'start') return start;
              return typeof value === 'function' ? value.bind(verbs) : value;
            },
          });
        },
      };
    }

    /** What another run does for which the cache is too small. Returns what of it stands then, besides that run's own. */
    async function evict(name: string, signal: AbortSignal): Promise<string[]> {
      const cache = join(process.env.XDG_CACHE_HOME ?? '', 'trundle');
      const [other = ''] = await tarballs([name]);
      const { options } = aRun('another');
      const { root } = await new ImageCache(cache, 1).provide(other, { ...options, signal });
      return standing(cache).filter((each) => each !== basename(dirname(root)));
    }

    /** A backend's testbeds of an image that only they have. */
    function configure(name: string): Promise<ConfiguredBackend> {
      const image = tinyImage(join(workplace(), 'tiny.tar'), (root) => {
        mkdirSync(join(root, 'sbin'));
        symlinkSync('../bin/busybox', join(root, 'sbin/init'));
      });
      return configureBackend([name, ...(name === 'unshare' ? ['--tarball', image] : [image])]);
    }

    const backends = test.each(['chroot', 'unshare', 'nspawn', 'lxc']);

    backends('stays while a testbed of %s uses it, and goes when that has gone', async (name) => {
      const signal = AbortSignal.timeout(PATIENCE);
      const testbed = await openTestbed(await configure(name), {});
      try {
        const [used = '', ...more] = await evict('one', signal);
        expect(used).toMatch(/^[0-9a-f]{40}-root$/);
        expect(more).toEqual([]);
        // What nobody has read yet is there too.
        expect(await testbed.exec(['cat', '/etc/hostname'])).toMatchObject({ status: 0, stdout: 'tiny\n' });
        await testbed.revert();
        expect(await evict('two', signal)).toEqual([used]);
        expect(await testbed.exec(['cat', '/etc/group'])).toMatchObject({ status: 0 });
      } finally {
        expect(await testbed.close()).toMatchObject({ cause: null, leftovers: [] });
      }
      expect(await evict('three', signal)).toEqual([]);
    });

    backends('before %s has locked it is unpacked anew', async (name) => {
      let evicted = 0;
      const backend = beforeStart(await configure(name), async (signal) => {
        expect(await evict('other', signal)).toEqual([]);
        evicted += 1;
      });
      const testbed = await openTestbed(backend, {});
      try {
        expect(await testbed.exec(['cat', '/etc/hostname'])).toMatchObject({ status: 0, stdout: 'tiny\n' });
        expect(evicted).toBe(1);
      } finally {
        expect(await testbed.close()).toMatchObject({ cause: null, leftovers: [] });
      }
    });
  },
);
