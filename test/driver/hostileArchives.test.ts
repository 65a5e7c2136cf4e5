import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
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

  test('that has no end has ended, and so has its program, when it is said to be refused', async () => {
    const place = publicPlace();
    const host = await hostWhoseTarPrints(place, member({ name: '../outside/x', data: evil }), 'sleep 1000');
    await expect(host.testbed.copyUp('/usr/', `${join(place, 'target')}/`)).rejects.toMatchObject({
      cause: { class: 'hostile-archive' },
    });
    expect(host.log.all('command.concluded')).toHaveLength(host.log.all('command.requested').length);
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

/** All that a guard lets through of these bytes, given in steps. */
async function through(bytes: Buffer, step: number, onLeftOut: (name: string) => void): Promise<Buffer> {
  const guard = new TarGuard(onLeftOut);
  const chunks = guard.toArray();
  for (let at = 0; at < bytes.length; at += step) guard.write(bytes.subarray(at, at + step));
  guard.end();
  return Buffer.concat(await chunks);
}

/** A name that takes a header of its own. */
const long = (name: string, type: 'L' | 'K' = 'L') => member({ name: '@', type, data: Buffer.from(`${name}\0`) });

/** Members as a tar may make them, and the names of devices among them. */
const MEMBERS: readonly { bytes: Buffer; device?: string }[] = [
  { bytes: member({ name: './good', data: evil }) },
  { bytes: member({ name: './d/', type: '5' }) },
  { bytes: member({ name: './empty' }) },
  { bytes: member({ name: './link', type: '2', link: 'good' }) },
  { bytes: Buffer.concat([long('./a-long-name'), member({ name: 'x', data: Buffer.alloc(1500, 1) })]) },
  { bytes: Buffer.concat([long('./l'), long('./k', 'K'), member({ name: 'x', type: '2' })]) },
  { bytes: member({ name: './pipe', type: '6' }) },
  { bytes: member({ name: './null', type: '3' }), device: 'null' },
  { bytes: Buffer.concat([long('./d/a-disk'), member({ name: 'x', type: '4' })]), device: 'd/a-disk' },
  { bytes: member({ name: './zero', type: '3' }), device: 'zero' },
];

test('devices are taken out where somebody hears of them, and all else stays as it is', async () => {
  const some = fc.array(fc.constantFrom(...MEMBERS), { maxLength: 12 });
  const property = fc.asyncProperty(some, fc.integer({ min: 1, max: 3000 }), async (members, step) => {
    const named: string[] = [];
    const all = archive(...members.map(({ bytes }) => bytes));
    const rest = archive(...members.flatMap(({ bytes, device }) => (device === undefined ? [bytes] : [])));
    expect((await through(all, step, (name) => named.push(name))).equals(rest)).toBe(true);
    expect(named).toEqual(members.flatMap(({ device = [] }) => device));
  });
  await fc.assert(property, { numRuns: 300 });
});

test('further names of a device are taken out with it', async () => {
  const named: string[] = [];
  const again = [
    member({ name: './again', type: '1', link: './null' }),
    member({ name: './x', type: '1', link: 'again' }),
  ];
  const all = archive(member({ name: './null', type: '3' }), ...again, member({ name: './good', data: evil }));
  const rest = archive(member({ name: './good', data: evil }));
  expect((await through(all, 512, (name) => named.push(name))).equals(rest)).toBe(true);
  expect(named).toEqual(['null', 'again', 'x']);
});

const STILL = [
  ...HOSTILE.filter(({ what }) => !what.endsWith(' device')),
  { what: 'a device that has bytes', bytes: archive(member({ name: 'null', type: '3', data: evil })) },
];
test.each(STILL)('$what is refused also where devices are taken out', async ({ bytes }) => {
  for (const step of [1, 511, 512, 10_000]) {
    await expect(through(bytes, step, () => {})).rejects.toBeInstanceOf(HostileArchiveError);
  }
});

/** A testbed in which somebody has put a tar of his own before the real one. */
async function hostWhoseTarPrints(place: string, bytes: Buffer, afterwards = 'exit'): Promise<OpenHost> {
  const bin = join(place, 'bin');
  mkdirSync(bin);
  writeFileSync(join(place, 'archive'), bytes);
  writeFileSync(join(bin, 'tar'), `#!/bin/sh\ncat '${place}/archive'\n${afterwards}\n`);
  chmodSync(join(bin, 'tar'), 0o755);
  return openSshd([sessionEnvironment({ PATH: `${bin}:/usr/bin:/bin` })]);
}
