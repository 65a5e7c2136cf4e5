import { expect, test } from 'vitest';
import type { BackendUnderTest } from './support/backends.ts';
import { everyBackend } from './support/everyBackend.ts';
import { makeMark, processesWith } from './support/marks.ts';

const BOOT = 'cut -d " " -f 22 /proc/1/stat; cat /proc/sys/kernel/random/boot_id';

/** Suites for what only some testbeds can do. */
function able(capability: 'reboot' | 'revert') {
  return {
    needs: ({ capabilities }: BackendUnderTest) => (capabilities.includes(capability) ? [] : null),
    shared: false,
  };
}

everyBackend(
  'revert',
  (contract) => {
    test('undoes what was written, and leaves a testbed that works', async () => {
      await using bed = await contract.open();
      const { testbed } = bed;
      const change = 'echo x >/etc/trundle-was-here && rm /etc/group && mkdir /var/trundle-was-here';
      expect(await testbed.exec(change)).toMatchObject({ status: 0 });
      await testbed.revert();
      const look = 'ls /etc/group && ! ls /etc/trundle-was-here /var/trundle-was-here 2>/dev/null';
      expect(await testbed.exec(look)).toMatchObject({ status: 0, stdout: '/etc/group\n' });
      await testbed.revert();
      expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
    });
  },
  able('revert'),
);

everyBackend(
  'reboot',
  (contract) => {
    test('starts anew, which is proven, and keeps what was written', async () => {
      await using bed = await contract.open();
      const { testbed } = bed;
      const before = (await testbed.exec(BOOT)).stdout;
      const mark = makeMark();
      const change = `echo kept >/etc/trundle-was-here; setsid -f sleep ${mark} </dev/null >/dev/null 2>&1`;
      expect(await testbed.exec(change)).toMatchObject({ status: 0 });
      await testbed.reboot();
      expect((await testbed.exec(BOOT)).stdout).not.toBe(before);
      expect(processesWith(mark)).toEqual([]);
      // Some testbeds share files with this machine.
      const look = await testbed.exec('cat /etc/trundle-was-here && rm /etc/trundle-was-here');
      expect(look).toMatchObject({ status: 0, stdout: 'kept\n' });
      expect(bed.log.all('reboot.proven')).toHaveLength(1);
    });
  },
  able('reboot'),
);
