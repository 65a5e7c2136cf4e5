import { expect, test } from 'vitest';
import type { Contract } from '../support/contract.ts';
import { makeMark, processesWith } from '../support/marks.ts';

const BOOT = 'cut -d " " -f 22 /proc/1/stat; cat /proc/sys/kernel/random/boot_id';

export function reboot(contract: Contract): void {
  test('starts anew, which is proven, and keeps what was written', async () => {
    const { log, testbed } = contract;
    const proven = log.all('reboot.proven').length;
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
    expect(log.all('reboot.proven')).toHaveLength(proven + 1);
  });
}

export function revert(contract: Contract): void {
  test('undoes what was written, and leaves a testbed that works', async () => {
    const { testbed } = contract;
    const change = 'echo x >/etc/trundle-was-here && rm /etc/group && mkdir /var/trundle-was-here';
    expect(await testbed.exec(change)).toMatchObject({ status: 0 });
    await testbed.revert();
    const look = 'ls /etc/group && ! ls /etc/trundle-was-here /var/trundle-was-here 2>/dev/null';
    expect(await testbed.exec(look)).toMatchObject({ status: 0, stdout: '/etc/group\n' });
    await testbed.revert();
    expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
  });
}
