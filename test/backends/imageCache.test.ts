import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { BackendHost, ConfiguredBackend } from '../../src/backends/contract.ts';
import { configureBackend } from '../../src/backends/index.ts';
import { bootstrap } from '../../src/backends/shared/images/bootstrap.ts';
import type { Ownership } from '../../src/backends/shared/images/entry.ts';
import { FileLock } from '../../src/backends/shared/images/FileLock.ts';
import { type CachedImage, ImageCache } from '../../src/backends/shared/images/ImageCache.ts';
import { runProgram } from '../../src/backends/shared/runProgram.ts';
import { openTestbed } from '../../src/testbed/index.ts';
import { mountTmpfs } from '../faults/support/sshServer.ts';
import { tinyImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';

const OWNERSHIP: Ownership = {
  name: 'root',
  prefix: [],
  owners: true,
  refusal: () => null,
  removes: ['root'],
};

/** Far more than it ever takes, so that only a fault shows. */
const PATIENCE = 60_000;

/** A run that asks the cache, with what it has taken and not given back. */
function aRun(name: string) {
  const held = new Set<string>();
  const logged: string[] = [];
  const told: string[] = [];
  const host = {
    run: name,
    testbed: 'tb1',
    acquire: ({ name: resource }: { name: string }) => {
      held.add(resource);
      return () => void held.delete(resource);
    },
    log: (message: string) => void logged.push(message),
    console: (chunk: Uint8Array) => void told.push(Buffer.from(chunk).toString()),
  } as unknown as BackendHost;
  return { held, logged, told, options: { host, signal: AbortSignal.timeout(PATIENCE), ownership: OWNERSHIP } };
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

  test.each(['root', 'size'])('unpacks an image anew of which somebody has removed "%s"', async (part) => {
    const cache = workplace();
    const [one = ''] = await tarballs(['one']);
    const { options, held } = aRun('first');
    const { root } = await new ImageCache(cache).provide(one, options);
    rmSync(join(root, '..', part), { recursive: true });
    const again = await new ImageCache(cache).provide(one, options);
    expect(readFileSync(join(again.root, 'name'), 'utf8')).toMatch(/^one\n/);
    expect(standing(cache)).toEqual([nameOf(again)]);
    expect([...held]).toEqual([]);
  });

  test('throws away what a killed run left half done, once nobody has its lock', async () => {
    const cache = workplace();
    const [one = '', two = ''] = await tarballs(['one', 'two']);
    const { options } = aRun('first');
    const image = `${'0'.repeat(40)}-root`;
    const half = join(cache, 'images', `${image}.killed-tb1`);
    mkdirSync(join(half, 'root'), { recursive: true });
    const atWork = await FileLock.take(join(cache, 'images', `${image}.lock`), options.signal);
    try {
      await new ImageCache(cache).provide(one, options);
      expect(existsSync(half)).toBe(true);
    } finally {
      await atWork.free();
    }
    await new ImageCache(cache).provide(two, options);
    expect(existsSync(half)).toBe(false);
    expect(standing(cache)).toHaveLength(2);
  });

  test('counts the tarballs that were made here, and throws them away too, unless somebody uses them', async () => {
    const cache = workplace();
    const [one = ''] = await tarballs(['one']);
    const { options } = aRun('first');
    const made = (digit: string, used: number) => {
      const file = join(cache, 'bootstrap', `stable-${digit.repeat(16)}.tar`);
      for (const each of [file, `${file}.lock`]) writeFileSync(each, 'x'.repeat(100_000));
      utimesSync(`${file}.lock`, used, used);
      return file;
    };
    mkdirSync(join(cache, 'bootstrap'));
    const [older, old, young] = [made('1', 1), made('2', 2), made('3', 3)];
    const half = `${old}.killed`;
    writeFileSync(half, 'x');
    const inUse = await FileLock.take(`${older}.lock`, options.signal);
    try {
      // Room for the image and two of them.
      await new ImageCache(cache, 300_000).provide(one, options);
      expect([older, old, young, half].map((file) => existsSync(file))).toEqual([true, false, true, false]);
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

describeWith(['root', 'tar', 'tmpfs'], 'what cannot be thrown out of the cache', () => {
  test('is told, and the run goes on; who comes later throws it away', async () => {
    const cache = workplace();
    const [one = '', two = '', three = ''] = await tarballs(['one', 'two', 'three']);
    const first = await new ImageCache(cache).provide(one, aRun('first').options);
    makeOld(first);
    // Somebody outside has mounted something in it.
    mountTmpfs(join(first.root, 'busy'), '1m');
    const busy = () => standing(cache).map((name) => join(cache, 'images', name, 'root/busy'));
    const free = () =>
      execFileSync(
        'umount',
        busy().filter((path) => existsSync(path)),
      );
    let mounted = true;
    onTestFinished(() => void (mounted && free()));
    const run = aRun('second');
    const second = await new ImageCache(cache, 1).provide(two, run.options);
    expect(readFileSync(join(second.root, 'name'), 'utf8')).toMatch(/^two\n/);
    const left = `${nameOf(first)}.second-tb1-old`;
    expect(standing(cache).toSorted()).toEqual([left, nameOf(second)].toSorted());
    expect(run.told).toEqual([expect.stringMatching(`^trundle: .*/${left} cannot be removed: rm: .*busy`)]);
    expect([...run.held]).toEqual([join(cache, 'images', left)]);
    free();
    mounted = false;
    const third = await new ImageCache(cache).provide(three, aRun('third').options);
    expect(standing(cache).toSorted()).toEqual([nameOf(second), nameOf(third)].toSorted());
  });
});

describeWith(['root', 'unshare', 'tar'], 'a tarball that was made here', () => {
  test('stays in the cache for as long as it is used', async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('XDG_CACHE_HOME', workplace());
    const programs = workplace();
    vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
    const script = 'for word; do case $word in /*.tar.*) echo made >"$word" ;; esac; done';
    writeFileSync(join(programs, 'mmdebstrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const cache = join(process.env.XDG_CACHE_HOME ?? '', 'trundle');
    const [one = '', two = ''] = await tarballs(['one', 'two']);
    const { options } = aRun('first');
    const host = { ...options.host, workDirectory: join(workplace(), 'work') };
    const recipe = { release: 'stable', arch: undefined, include: [], mirror: ['http://deb.example.org/debian'] };
    const made = await bootstrap(recipe, 'root', { ...options, host }, async (file) => {
      await new ImageCache(cache, 1).provide(one, options);
      expect(readFileSync(file, 'utf8')).toBe('made\n');
      return file;
    });
    await new ImageCache(cache, 1).provide(two, options);
    expect(existsSync(made)).toBe(false);
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
