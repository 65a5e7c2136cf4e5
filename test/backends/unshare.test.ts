import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { mountTmpfs } from '../faults/support/sshServer.ts';
import { debianImage, IMAGE_PATIENCE, tinyImage, tinyRoot } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';
import { makeOrdinary, type Ordinary } from './support/ordinary.ts';

/** The codename of this machine's own release. */
function ownRelease(): string {
  return /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}

/** A cache of the running test's own. */
function ownCache(): string {
  const cache = workplace();
  vi.stubEnv('XDG_CACHE_HOME', cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  return join(cache, 'trundle');
}

describeWith(['root', 'unshare', 'busybox', 'tar'], 'unshare as root', () => {
  test('gives a testbed that forgets what was done to it', async () => {
    ownCache();
    const image = tinyImage(join(workplace(), 'tiny.tar'));
    const { testbed } = await open(['unshare', '--tarball', image]);
    expect(testbed.capabilities).toEqual(['root-on-testbed', 'revert', 'revert-full-system']);
    await testbed.exec('echo x >/etc/x; rm /etc/hostname; sleep 1000 >/dev/null 2>&1 &');
    await testbed.revert();
    const { stdout } = await testbed.exec('ls /etc; ps | grep -c "[s]leep 1000"');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['hostname', '0']));
    expect(stdout).not.toMatch(/^x$/m);
  });

  test('gives a testbed whose root everybody may enter, also where the umask is of one who shares nothing', async () => {
    ownCache();
    const image = tinyImage(join(workplace(), 'tiny.tar'));
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    const { testbed } = await open(['unshare', '--tarball', image]);
    expect(await testbed.exec('stat -c %a /; umask')).toMatchObject({ stdout: '755\n0022\n' });
    await testbed.revert();
    expect(await testbed.exec('stat -c %a /')).toMatchObject({ stdout: '755\n' });
  });

  test('unpacks an image once, for testbeds at the same time and later', async () => {
    const cache = ownCache();
    const image = tinyImage(join(workplace(), 'tiny.tar'));
    const several = await Promise.all([1, 2, 3].map(() => open(['unshare', '--tarball', image])));
    const entries = () => readdirSync(join(cache, 'images')).filter((name) => !name.endsWith('.lock'));
    const [entry = ''] = entries();
    expect(entries()).toEqual([expect.stringMatching(/^[0-9a-f]{40}-root$/)]);
    const { ino } = statSync(join(cache, 'images', entry, 'root'));
    for (const { testbed } of several) expect(await testbed.exec('echo mine >/etc/mine')).toMatchObject({ status: 0 });
    const { log } = await open(['unshare', '--tarball', image]);
    expect(statSync(join(cache, 'images', entry, 'root')).ino).toBe(ino);
    const made = log.events.filter((event) => event.type === 'resource.acquired' && event.name.startsWith(cache));
    expect(made).toEqual([]);
    expect(readdirSync(join(cache, 'images', entry, 'root', 'etc'))).not.toContain('mine');
  });

  test('takes a directory, and leaves it as it is', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed } = await open(['unshare', '--tarball', root]);
    await testbed.exec('rm -rf /etc/hostname; echo x >/etc/x');
    await testbed.close();
    expect(readdirSync(join(root, 'etc')).toSorted()).toEqual(['group', 'hostname', 'passwd']);
  });

  test('shows directories of this machine where they are bound', async () => {
    const shared = workplace();
    writeFileSync(join(shared, 'file'), 'of the host\n');
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed } = await open([
      'unshare',
      '-d',
      '-t',
      root,
      '--bind',
      `${shared}:/srv/a b`,
      '-b',
      shared,
      '/srv/c',
      // Below a directory that every testbed has, and that is made beside its mounts.
      ...['-b', shared, '/run/lock/d'],
    ]);
    expect(await testbed.exec(['cat', '/srv/a b/file'])).toMatchObject({ stdout: 'of the host\n' });
    expect(await testbed.exec(['cat', '/srv/c/file'])).toMatchObject({ stdout: 'of the host\n' });
    expect(await testbed.exec(['cat', '/run/lock/d/file'])).toMatchObject({ stdout: 'of the host\n' });
    expect(await testbed.exec('ls -ld /run/lock')).toMatchObject({ stdout: expect.stringMatching(/^drwxrwxrwt/) });
    await testbed.exec('echo x >"/srv/a b/written"');
    expect(readFileSync(join(shared, 'written'), 'utf8')).toBe('x\n');
  });

  test('copies the image, and says so, where no overlay can be mounted', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed, log } = await overlayOnOverlay(() => open(['unshare', '--tarball', root]));
    const lines = log.events.flatMap((event) => (event.type === 'console.printed' ? [event.line] : []));
    expect(lines.join('\n')).toMatch(/overlay cannot be mounted.*copied instead/);
    await testbed.exec('echo x >/etc/x');
    await testbed.revert();
    expect(await testbed.exec(['ls', '/etc/x'])).toMatchObject({ status: 1 });
  });
});

/** Runs with a TMPDIR on which the kernel allows no upper layer. */
async function overlayOnOverlay<T>(use: () => Promise<T>): Promise<T> {
  const place = workplace();
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(place, name));
  const at = (name: string) => join(place, name);
  const layers = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  execFileSync('mount', ['-t', 'overlay', '-o', layers, 'overlay', at('merged')]);
  vi.stubEnv('TMPDIR', at('merged'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    execFileSync('umount', ['--lazy', at('merged')]);
  });
  return await use();
}

describeWith(['root', 'unshare', 'busybox', 'tar'], 'unshare says what is wrong', () => {
  beforeEach(() => {
    ownCache();
  });

  test('where there is no tarball of that name', async () => {
    const path = join(workplace(), 'none.tar');
    expect(await refusal(['unshare', '--tarball', path])).toMatchObject({
      code: 'image-missing',
      message: `there is no image ${path}`,
      remedy: expect.stringContaining('mmdebstrap'),
      class: 'provision-failed',
      phase: 'provision',
    });
  });

  test('where the tarball is truncated, and keeps nothing of it', async () => {
    const cache = ownCache();
    const image = tinyImage(join(workplace(), 'tiny.tar'));
    truncateSync(image, 700_000);
    expect(await refusal(['unshare', '--tarball', image])).toMatchObject({
      code: 'image-damaged',
      message: expect.stringContaining('Unexpected EOF'),
      remedy: expect.stringContaining(`tar -tf ${image}`),
      class: 'provision-failed',
      phase: 'provision',
    });
    expect(readdirSync(join(cache, 'images')).filter((name) => !name.endsWith('.lock'))).toEqual([]);
  });

  test('where the disk is full while it unpacks', async () => {
    const image = tinyImage(join(workplace(), 'tiny.tar'));
    const small = join(workplace(), 'small');
    mountTmpfs(small, '1m');
    onTestFinished(() => void execFileSync('umount', [small]));
    vi.stubEnv('XDG_CACHE_HOME', small);
    expect(await refusal(['unshare', '--tarball', image])).toMatchObject({
      code: 'ENOSPC',
      message: expect.stringMatching(/No space left on device|Wrote only/),
      class: 'host-disk-full',
      phase: 'provision',
    });
    expect(readdirSync(join(small, 'trundle/images')).filter((name) => !name.endsWith('.lock'))).toEqual([]);
  });

  test('where no image is named and sbuild has none', async () => {
    expect(await refusal(['unshare', '--release', 'trixie'])).toMatchObject({
      code: 'image-missing',
      message: expect.stringContaining('trixie-*.t*'),
      remedy: expect.stringContaining('--bootstrap --release trixie'),
    });
  });

  test('where it is told how to bootstrap, and not to do it', async () => {
    expect(await refusal(['unshare', '--mirror', 'http://deb.example.org/debian'])).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('give --bootstrap as well'),
    });
  });

  test('where its directory cannot be removed, with the commands that would', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed, log } = await open(['unshare', '--tarball', root]);
    const layer = log.events.find((event) => event.type === 'resource.acquired' && event.name.endsWith('/layer'));
    const name = layer?.type === 'resource.acquired' ? layer.name : '';
    // Somebody outside has mounted something in it.
    const busy = join(name, 'upper/busy');
    mountTmpfs(busy, '1m');
    onTestFinished(() => void execFileSync('sh', ['-c', 'umount "$1"; rm -rf "$2"', 'sh', busy, join(name, '..')]));
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'teardown-failed', detail: expect.stringContaining(`findmnt -R ${name}`) });
    expect(leftovers).toContainEqual(
      expect.objectContaining({ kind: 'directory', name, release: expect.arrayContaining([name]) }),
    );
  });
});

describeWith(['root', 'unshare', 'mmdebstrap', 'tar', 'archive'], 'unshare --bootstrap', () => {
  test(
    'makes an image once, from where apt of this machine takes the release from',
    async () => {
      const cache = ownCache();
      const words = [
        'unshare',
        '--bootstrap',
        '--release',
        ownRelease(),
        '--include',
        'hello',
        '--session',
        'stand-in',
      ];
      const first = await open(words);
      expect((await first.testbed.exec(['hello'])).stdout).toBe('Hello, world!\n');
      await first.testbed.close();
      expect(first.log.all('console.printed').map(({ line }) => line)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^trundle: mmdebstrap makes an image of /),
          expect.stringMatching(/^I: /),
        ]),
      );
      const images = () => readdirSync(join(cache, 'bootstrap')).filter((name) => !name.endsWith('.lock'));
      expect(images()).toEqual([expect.stringMatching(/^\w+-[0-9a-f]{16}\.tar$/)]);
      const { mtimeMs } = statSync(join(cache, 'bootstrap', images()[0] ?? ''));
      const second = await open(words);
      expect((await second.testbed.exec(['hello'])).stdout).toBe('Hello, world!\n');
      expect(statSync(join(cache, 'bootstrap', images()[0] ?? '')).mtimeMs).toBe(mtimeMs);
    },
    IMAGE_PATIENCE,
  );

  test('says what mmdebstrap says where it cannot be made, and leaves nothing', async () => {
    const cache = ownCache();
    const words = ['unshare', '--bootstrap', '--release', 'bookworm', '--mirror', 'http://127.0.0.1:1/debian'];
    const { log, ...refused } = await refusal(words);
    expect(refused).toMatchObject({
      code: 'bootstrap-failed',
      message: expect.stringContaining('making an image of bookworm'),
      remedy: expect.stringContaining('(now http://127.0.0.1:1/debian)'),
      class: 'provision-failed',
    });
    expect(readdirSync(join(cache, 'bootstrap')).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    for (const { name } of log.all('resource.acquired')) expect([name, existsSync(name)]).toEqual([name, false]);
  });
});

describeWith(
  ['root', 'useradd', 'unshare', 'newuidmap', 'busybox', 'mmdebstrap', 'tar'],
  'unshare as an ordinary user',
  () => {
    let debian = '';
    beforeAll(() => {
      debian = debianImage();
    }, IMAGE_PATIENCE);

    const SESSIONS = ['login', 'stand-in'];

    test('with subordinate ids is root of its own, by a real sshd and by the stand-in', async () => {
      const user = forThisTest(makeOrdinary({ subuids: true }));
      const script = 'id -u; touch /etc/x && chown 12:34 /etc/x && stat -c %u:%g /etc/x';
      for (const session of SESSIONS) {
        const words = ['unshare', '--tarball', debian, '--session', session];
        const end = await user.run(['exec', 'sh', '-c', script, '--', ...words]);
        expect(end).toMatchObject({ status: 0, stdout: '0\n12:34\n' });
      }
    });

    test('with a single id is itself, by a real sshd and by the stand-in', async () => {
      const user = forThisTest(makeOrdinary({ subuids: false }));
      const script = 'id -u; id -un; id -gn; pwd; touch ~/x && echo ok';
      for (const session of SESSIONS) {
        const words = ['unshare', '--tarball', debian, '--session', session];
        const end = await user.run(['exec', 'sh', '-c', script, '--', ...words]);
        expect(end).toMatchObject({ status: 0, stdout: `${user.uid}\nunshare\nunshare\n/home/unshare\nok\n` });
      }
    });

    test('leaves nothing behind, whoever owned it', async () => {
      const user = forThisTest(makeOrdinary({ subuids: true }));
      const image = tinyImage(join(workplace(), 'tiny.tar'));
      execFileSync('cp', [image, join(user.home, 'tiny.tar')]);
      const line = 'mkdir -p /srv/a/b; touch /srv/a/b/c; chown -R 77:77 /srv; chmod 000 /srv/a';
      const end = await user.run(['exec', 'sh', '-c', line, '--', 'unshare', '--tarball', join(user.home, 'tiny.tar')]);
      expect(end).toMatchObject({ status: 0 });
      expect(readdirSync(user.temporary)).toEqual([]);
    });

    test.each(['subuids', 'single'])(
      'with --map=%s takes no directory of root’s, and says what it would take',
      async (map) => {
        const user = forThisTest(makeOrdinary({ subuids: true }));
        const place = workplace();
        chmodSync(place, 0o755);
        const root = tinyRoot(join(place, 'root'));
        chmodSync(join(root, 'tmp'), 0o1777);
        const enter = (image: string) => user.run(['exec', 'true', '--', 'unshare', '--map', map, '--tarball', image]);
        const refused = await enter(root);
        expect(refused.status).toBe(16);
        expect(refused.stderr).toMatch(
          new RegExp(
            `image-foreign: .*${root} belongs to uid 0, who does not exist in the testbed \\(--map=${map} gives it ${user.uid}`,
          ),
        );
        const [, tar = '', tarball = '', chown = ''] =
          /as root: (tar -C .* \.) and give '?([^;']*)'?; .*(chown -R [^)]*)\)/.exec(refused.stderr) ?? [];
        execFileSync('sh', ['-ec', tar]);
        expect(await enter(tarball)).toMatchObject({ status: 0 });
        execFileSync('sh', ['-ec', chown]);
        expect(await enter(root)).toMatchObject({ status: 0 });
      },
    );

    /** An image that everybody may read, with a file that is not root's. */
    function small(): string {
      const place = workplace();
      chmodSync(place, 0o755);
      return tinyImage(join(place, 'tiny.tar'), (root) => chownSync(join(root, 'home/user'), 1000, 1000));
    }

    describe('where no_new_privs is set', () => {
      const within = (user: Ordinary) =>
        ['setpriv', '--reuid', user.login, '--regid', user.login, '--init-groups', '--no-new-privs'] as const;

      test('gives a testbed with one id, since subordinate ids are not to be had', async () => {
        const user = forThisTest(makeOrdinary({ subuids: true }));
        const end = await user.run(['exec', 'id -u', '--', 'unshare', '--tarball', small()], {}, within(user));
        expect(end).toMatchObject({ status: 0, stdout: `${user.uid}\n` });
      });

      test('says so to who asked for them, and leaves nothing', async () => {
        const user = forThisTest(makeOrdinary({ subuids: true }));
        const words = ['exec', 'true', '--', 'unshare', '--map', 'subuids', '--tarball', small()];
        const end = await user.run(words, {}, within(user));
        expect(end.stderr).toMatch(/no-subuids: .*no_new_privs is set \(to mend it: .*; or --map=single\)/);
        expect(end.stderr).not.toMatch(/^ +left /m);
        expect(readdirSync(user.temporary)).toEqual([]);
      });
    });

    describe('in a user namespace that has one id', () => {
      const within = (user: Ordinary) =>
        [
          'setpriv',
          '--reuid',
          user.login,
          '--regid',
          user.login,
          '--init-groups',
          'unshare',
          '--map-root-user',
        ] as const;

      test('says that the ids of the image are missing, and not that it is damaged', async () => {
        const user = forThisTest(makeOrdinary({ subuids: true }));
        const end = await user.run(['exec', 'true', '--', 'chroot', small()], {}, within(user));
        expect(end.stderr).toMatch(/few-ids: root is that of a user namespace here, and has 1 of the ids/);
        expect(end.status).toBe(16);
      });

      test('leaves nothing of what it made before it could get no others', async () => {
        const user = forThisTest(makeOrdinary({ subuids: true }));
        const image = ['unshare', '--map', 'subuids', '--tarball', small()];
        expect(await user.run(['exec', 'true', '--', ...image])).toMatchObject({ status: 0 });
        const end = await user.run(['exec', 'true', '--', ...image], {}, within(user));
        expect(end.status).toBe(16);
        expect(end.stderr).not.toMatch(/image-damaged|^ +left /m);
        expect(readdirSync(user.temporary)).toEqual([]);
      });
    });

    test('takes a TMPDIR that is no absolute path', async () => {
      const user = forThisTest(makeOrdinary({ subuids: true }));
      const words = ['exec', 'id -u', '--', 'unshare', '--tarball', small()];
      const end = await user.run(words, { TMPDIR: relative(user.home, user.temporary) });
      expect(end).toMatchObject({ status: 0, stdout: '0\n', stderr: '' });
    });

    test.each(['/nonexistent', '/proc'])('says where images would be, and cannot: %s', async (home) => {
      const user = forThisTest(makeOrdinary({ subuids: true }));
      const words = ['exec', 'true', '--', 'unshare', '--tarball', small()];
      const end = await user.run(words, { HOME: home, XDG_STATE_HOME: user.temporary });
      expect(end.stderr).toContain(`images cannot be unpacked into ${home}/.cache/trundle: `);
      expect(end.stderr).toContain('(to mend it: set XDG_CACHE_HOME to a directory that can be written to)');
      expect(end.status).toBe(16);
    });

    test('says what is missing where there are no subordinate ids', async () => {
      const user = forThisTest(makeOrdinary({ subuids: false }));
      const words = ['unshare', '--tarball', debian, '--map', 'subuids'];
      const end = await user.run(['exec', '--json', 'true', '--', ...words]);
      expect(end.stderr).toMatch(/: no-subuids: /);
      expect(JSON.parse(end.stdout)).toMatchObject({ cause: { class: 'provision-failed', phase: 'provision' } });
      expect(end.stderr).toContain(`no subordinate ids for ${user.login} in /etc/subuid`);
      expect(end.stderr).toContain('usermod --add-subuids');
      expect(end.status).toBe(16);
    });
  },
);
