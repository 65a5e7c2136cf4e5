import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HostileArchiveError, TarGuard } from '../../src/driver/copy/TarGuard.ts';
import { sessionEnvironment } from '../faults/support/sshServer.ts';
import { describeWith } from '../support/needs.ts';
import { type OpenHost, openSshd, publicPlace } from './support/openHost.ts';
import { archive, member } from './support/tarMaker.ts';

const evil = Buffer.from('evil\n');

/** What no honest tar makes of a directory. Each is unpacked in a directory beside which `outside` lies. */
const HOSTILE: readonly { what: string; bytes: Buffer; words: RegExp }[] = [
  {
    what: 'a name with ..',
    bytes: archive(member({ name: '../outside/x', data: evil })),
    words: /has \.\. in its name/,
  },
  {
    what: 'a name that climbs midway',
    bytes: archive(member({ name: './a/../../outside/x', data: evil })),
    words: /has \.\./,
  },
  {
    what: 'a name from the root',
    bytes: archive(member({ name: '/tmp/trundle-evil', data: evil })),
    words: /has an absolute name/,
  },
  {
    what: 'a file behind a symbolic link',
    bytes: archive(member({ name: './way', type: '2', link: '../outside' }), member({ name: './way/x', data: evil })),
    words: /lies behind the symbolic link way/,
  },
  {
    what: 'a directory behind a symbolic link',
    bytes: archive(member({ name: 'way', type: '2', link: '/tmp' }), member({ name: 'way//sub/', type: '5' })),
    words: /lies behind the symbolic link way/,
  },
  {
    what: 'a hard link to a file elsewhere',
    bytes: archive(member({ name: 'x', type: '1', link: '../outside/secret' })),
    words: /has \.\./,
  },
  {
    what: 'a hard link from the root',
    bytes: archive(member({ name: 'x', type: '1', link: '/etc/passwd' })),
    words: /absolute/,
  },
  {
    what: 'a hard link to a symbolic link',
    bytes: archive(
      member({ name: 'way', type: '2', link: '/etc/passwd' }),
      member({ name: 'x', type: '1', link: './way' }),
    ),
    words: /is a hard link to the symbolic link/,
  },
  { what: 'a character device', bytes: archive(member({ name: 'null', type: '3' })), words: /a device/ },
  { what: 'a block device', bytes: archive(member({ name: 'disk', type: '4' })), words: /a device/ },
  {
    what: 'a long name with ..',
    bytes: archive(
      member({ name: 'L', type: 'L', data: Buffer.from('../outside/x\0') }),
      member({ name: 'x', data: evil }),
    ),
    words: /has \.\./,
  },
  {
    what: 'a pax header',
    bytes: archive(
      member({ name: 'p', type: 'x', data: Buffer.from('21 path=../outside/x\n') }),
      member({ name: 'x', data: evil }),
    ),
    words: /nothing that was asked for/,
  },
  {
    what: 'a directory that has bytes',
    bytes: archive(member({ name: 'd/', type: '5', data: member({ name: '../outside/x', data: evil }) })),
    words: /bytes that its kind cannot have/,
  },
  {
    what: 'a header that tar passes over',
    bytes: archive(member({ name: 'x', size: 1024, broken: true }), member({ name: '../outside/x', data: evil })),
    words: /broken header/,
  },
  {
    what: 'a size that only tar can read',
    bytes: archive(member({ name: 'x', rawSize: '+AAAAAAAAAA' })),
    words: /broken header/,
  },
  {
    what: 'a name of gigabytes',
    bytes: archive(member({ name: 'L', type: 'L', size: 5_000_000_000 })),
    words: /has a name of 5000000000 bytes/,
  },
];

describeWith(['sshd', 'tar'], 'an archive of a hostile testbed', () => {
  test.each(HOSTILE)('with $what is refused, and nothing is written', async ({ bytes, words }) => {
    const place = publicPlace();
    const outside = join(place, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'kept');
    const host = await hostWhoseTarPrints(place, Buffer.concat([member({ name: 'good', data: evil }), bytes]));
    await expect(host.testbed.copyUp('/usr/', `${join(place, 'target')}/`)).rejects.toMatchObject({
      cause: { class: 'hostile-archive', phase: 'copy', detail: expect.stringMatching(words) },
    });
    expect(existsSync(join(place, 'target'))).toBe(false);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('kept');
    expect(existsSync('/tmp/trundle-evil')).toBe(false);
    expect(readdirSync(place).sort()).toEqual(['archive', 'bin', 'outside']);
  });

  test('that is no archive at all fails the copy, and nothing is written', async () => {
    const place = publicPlace();
    const host = await hostWhoseTarPrints(place, Buffer.from('sh: tar: not found, but I print a lot '.repeat(100)));
    await expect(host.testbed.copyUp('/usr/', `${join(place, 'target')}/`)).rejects.toThrow();
    expect(existsSync(join(place, 'target'))).toBe(false);
  });

  test('that stops in the middle fails the copy, and nothing is written', async () => {
    const place = publicPlace();
    const whole = archive(member({ name: 'good', data: Buffer.alloc(100_000) }));
    const host = await hostWhoseTarPrints(place, whole.subarray(0, 50_000));
    await expect(host.testbed.copyUp('/usr/', `${join(place, 'target')}/`)).rejects.toMatchObject({
      cause: { class: 'copy-failed' },
    });
    expect(existsSync(join(place, 'target'))).toBe(false);
  });

  test('that is honest after all is unpacked', async () => {
    const place = publicPlace();
    const host = await hostWhoseTarPrints(
      place,
      archive(member({ name: './', type: '5' }), member({ name: './good', data: evil })),
    );
    await host.testbed.copyUp('/usr/', `${join(place, 'target')}/`);
    expect(readFileSync(join(place, 'target', 'good'), 'utf8')).toBe('evil\n');
  });
});

test.each(HOSTILE)('$what is noticed however the bytes come', async ({ bytes }) => {
  for (const step of [1, 7, 511, 512, 513, 10_000]) {
    const guard = new TarGuard();
    guard.resume();
    const noticed = new Promise((resolve) => guard.once('error', resolve));
    for (let at = 0; at < bytes.length; at += step) guard.write(bytes.subarray(at, at + step));
    expect(await noticed).toBeInstanceOf(HostileArchiveError);
  }
});

/** A testbed in which somebody has put a tar of his own before the real one. */
async function hostWhoseTarPrints(place: string, bytes: Buffer): Promise<OpenHost> {
  const bin = join(place, 'bin');
  mkdirSync(bin);
  writeFileSync(join(place, 'archive'), bytes);
  writeFileSync(join(bin, 'tar'), `#!/bin/sh\nexec cat '${place}/archive'\n`);
  chmodSync(join(bin, 'tar'), 0o755);
  return openSshd([sessionEnvironment({ PATH: `${bin}:/usr/bin:/bin` })]);
}
