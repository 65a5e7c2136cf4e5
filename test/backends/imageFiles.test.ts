import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tinyImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open } from './support/open.ts';
import { makeOrdinary } from './support/ordinary.ts';

/** The value of `security.capability` that lets who runs the file have CAP_NET_RAW (capabilities(7)). */
const NET_RAW = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A header of tar(5), with what it is about. */
function paxHeader(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  const record = Buffer.concat([Buffer.from(String(rest.length + 2)), rest]);
  const block = Buffer.alloc(512);
  const size = record.length.toString(8).padStart(11, '0');
  for (const [at, text] of [
    [0, './PaxHeaders/file'],
    [100, '0000644\0'],
    [124, `${size}\0`],
    [148, '        '],
    [156, 'x'],
    [257, 'ustar\x0000'],
  ] as const)
    block.write(text, at);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, record, Buffer.alloc(512 - (record.length % 512))]);
}

/** A tiny image in which whoever runs `busybox-raw` has CAP_NET_RAW, as with ping(8) of Debian. */
function imageWithCapability(place: string): string {
  const [image, program] = [join(place, 'tiny.tar'), join(place, 'program.tar')];
  tinyImage(image, (root) => {
    copyFileSync(join(root, 'bin/busybox'), join(place, 'busybox-raw'));
  });
  const owners = ['--owner=0', '--group=0', '--mode=755', '--transform=s,^,./bin/,'];
  execFileSync('tar', [...owners, '-b1', '-cf', program, '-C', place, 'busybox-raw']);
  const entry = readFileSync(program).subarray(0, -1024);
  const header = paxHeader('SCHILY.xattr.security.capability', NET_RAW);
  writeFileSync(image, Buffer.concat([header, entry, readFileSync(image)]));
  return image;
}

const ASK = 'busybox-raw grep CapPrm /proc/self/status';

describeWith(['root', 'unshare', 'busybox', 'tar', 'overlay', 'newuidmap', 'useradd'], 'files of an image', () => {
  test('keep what they let an ordinary user do', async () => {
    const { testbed } = await open(['chroot', imageWithCapability(workplace())]);
    expect(await testbed.exec(ASK, { login: 'user' })).toMatchObject({ stdout: 'CapPrm:\t0000000000002000\n' });
    await testbed.close();
  });

  test('keep that in a user namespace too', async () => {
    const user = forThisTest(makeOrdinary({ subuids: true }));
    const image = imageWithCapability(user.home);
    const end = await user.run(['exec', '-u', 'user', ASK, '--', 'unshare', '--tarball', image]);
    expect(end).toMatchObject({ status: 0, stdout: 'CapPrm:\t0000000000002000\n', stderr: '' });
  });

  test('of which an ordinary user cannot make some are told of, and not as damaged', async () => {
    const user = forThisTest(makeOrdinary({ subuids: true }));
    const foreign = tinyImage(join(user.home, 'foreign.tar'), (root) => chownSync(join(root, 'tmp'), 2e9, 0));
    const device = tinyImage(join(user.home, 'device.tar'), (root) =>
      execFileSync('mknod', [join(root, 'etc/null'), 'c', '1', '3']),
    );
    const [ids, node] = [
      await user.run(['exec', 'true', '--', 'unshare', '--tarball', foreign]),
      await user.run(['exec', 'true', '--', 'unshare', '--tarball', device]),
    ];
    expect(ids.stderr).toMatch(/few-ids: files of the image belong to ids that the testbed has not: .* uid 2000000000/);
    expect(node.stderr).toMatch(/no-permission: the image has a device besides those of \/dev, .*: \.\/etc\/null/);
    expect([ids.status, node.status, readdirSync(user.temporary)]).toEqual([16, 16, []]);
  });
});
