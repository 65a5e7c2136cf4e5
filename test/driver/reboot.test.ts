import { expect, test } from 'vitest';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { startMachine } from './support/machine.ts';
import { hostAt, openHost } from './support/openHost.ts';

const MAY_REBOOT = ['root-on-testbed', 'reboot'] as const;

describeWith(['sshd', 'root', 'pid-namespace'], 'a reboot', () => {
  test('ends when another boot answers, and commands run in that one', async () => {
    const machine = forThisTest(await startMachine());
    const host = forThisTest(await openHost(hostAt(machine.endpoint, MAY_REBOOT)));
    const started = async () => (await host.testbed.exec('cut -d" " -f22 /proc/1/stat')).stdout;
    const before = await started();
    await host.testbed.reboot();
    const proven = await host.log.first('reboot.proven');
    expect(proven.before).not.toBe(proven.after);
    // Namespaces share the kernel's boot_id: it is the start of PID 1 that tells.
    expect(proven.before.split('/')[0]).toBe(proven.after.split('/')[0]);
    expect(await started()).not.toBe(before);
    expect(machine.boots).toBe(2);
  });

  test('may be had twice, and what ran before is gone', async () => {
    const machine = forThisTest(await startMachine());
    const host = forThisTest(await openHost(hostAt(machine.endpoint, MAY_REBOOT)));
    for (let time = 0; time < 2; time += 1) {
      await host.testbed.exec('sleep 1000000 >/dev/null 2>&1 </dev/null &');
      await host.testbed.reboot();
      expect(await host.testbed.exec(['pgrep', '-x', 'sleep'])).toMatchObject({ status: 1, stdout: '' });
    }
    expect(machine.boots).toBe(3);
  });

  test('fails at its deadline where the same boot answers again', async () => {
    const machine = forThisTest(await startMachine({ honest: false }));
    const clock = new ManualClock();
    const host = forThisTest(await openHost(hostAt(machine.endpoint, MAY_REBOOT), { clock }));
    // Whenever it waits before it dials again, that wait is over.
    host.testbed.events$.subscribe(({ type }) => {
      if (['dial.failed', 'connection.failed', 'connection.retired'].includes(type))
        setImmediate(() => clock.advance(250));
    });
    const rebooting = host.testbed.reboot();
    rebooting.catch(() => {});
    for (let last = 0, answers = 0; answers < 3; answers += 1) {
      ({ seq: last } = await host.log.first('boot.identified', ({ seq }) => seq > last));
    }
    // It went down, and came back as who it was, again and again, until the time is up.
    clock.advance(300_000);
    await expect(rebooting).rejects.toMatchObject({
      cause: { class: 'reboot-failed', phase: 'reboot', detail: 'not within 300000 ms' },
    });
    expect(new Set(host.log.all('boot.identified').map(({ identity }) => identity)).size).toBe(1);
    expect(machine.boots).toBe(1);
  });

  test('fails at its deadline where the testbed does not go down', async () => {
    const machine = forThisTest(await startMachine());
    const clock = new ManualClock();
    const host = forThisTest(await openHost(hostAt(machine.endpoint, MAY_REBOOT), { clock }));
    machine.stay();
    const rebooting = host.testbed.reboot();
    rebooting.catch(() => {});
    await host.log.first('reboot.asked');
    clock.advance(60_000);
    await expect(rebooting).rejects.toMatchObject({
      cause: { class: 'reboot-failed', doing: 'waiting for the testbed to go down', detail: 'not within 60000 ms' },
    });
    expect(machine.boots).toBe(1);
  });

  test('is not tried where the testbed is not said to be able to', async () => {
    const machine = forThisTest(await startMachine());
    const host = forThisTest(await openHost(hostAt(machine.endpoint)));
    await expect(host.testbed.reboot()).rejects.toThrow(/lacks the capability reboot/);
    expect(machine.boots).toBe(1);
  });
});
