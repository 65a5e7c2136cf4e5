import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TrundleEvent } from '../../../src/events/index.ts';
import type { TestbedError } from '../../../src/testbed/index.ts';
import type { Bed } from '../support/bed.ts';
import type { Contract } from '../support/contract.ts';
import { makeMark, markedProcesses, processesWith } from '../support/marks.ts';

// That a trace replays the same and that no resource, directory or mount stays is checked at every close.
export function teardown(contract: Contract): void {
  const { contained, server } = contract.backend;

  describe('of a testbed in which a command and a daemon run', () => {
    const [command, daemon] = [makeMark(), makeMark()];
    const seen: number[] = [];
    let bed: Bed;
    let events: readonly TrundleEvent[];
    let ending: unknown;
    let left: readonly number[];
    let completed = false;
    beforeAll(async () => {
      bed = await contract.open();
      const { testbed, log } = bed;
      testbed.events$.subscribe({
        next: ({ seq, testbed: whose }) => {
          expect(whose).toBe(testbed.id);
          seen.push(seq);
        },
        complete: () => {
          completed = true;
        },
      });
      if (contained) {
        await testbed.exec(`setsid -f sleep ${daemon} </dev/null >/dev/null 2>&1`);
        // It is seen nowhere in the moment in which setsid becomes it.
        await vi.waitFor(() => expect(processesWith(daemon)).not.toEqual([]), 10_000);
      }
      const told = log.events.length;
      const running = testbed.exec(`sleep ${command} & sleep ${command}; true`).catch((error: TestbedError) => error);
      await log.first('command.started', ({ seq }) => seq > told);
      // Twice is once.
      const [one, other] = await Promise.all([testbed.close(), testbed.close()]);
      expect(one).toBe(other);
      ending = await running;
      left = [command, daemon].flatMap(processesWith);
      events = await bed.close();
    });
    afterAll(() => bed[Symbol.asyncDispose]());

    test('ends what runs, and says so to who waits for it', () => {
      expect(ending).toMatchObject({ name: 'TestbedError' });
      expect(left).toEqual([]);
    });

    test('was done once, however often it was asked for', async () => {
      expect(await bed.testbed.close()).toMatchObject({ leftovers: [], cause: null });
      const asked = events.filter((event) => event.type === 'teardown.requested' && event.reason === 'closed');
      expect(asked).toHaveLength(1);
    });

    test('leaves a handle that refuses everything and says why', async () => {
      const { testbed } = bed;
      await expect(testbed.exec(['true'])).rejects.toThrow(/testbed tb1 is closed/);
      expect(() => testbed.start(['true'])).toThrow(/is closed/);
      await expect(testbed.copyDown('/etc/hostname', '/tmp/x')).rejects.toThrow(/is closed/);
      await expect(testbed.copyUp('/etc/hostname', '/tmp/x')).rejects.toThrow(/is closed/);
      await expect(testbed.reboot()).rejects.toThrow(/is closed/);
      await expect(testbed.revert()).rejects.toThrow(/is closed/);
    });

    test('has completed the stream of events, every one in its place', () => {
      expect(completed).toBe(true);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(bed.log.events.map(({ seq }) => seq)).toEqual(bed.log.events.map((_, index) => index + 1));
    });
  });

  test('by force ends all the same', async () => {
    const mark = makeMark();
    await using bed = await contract.open();
    const running = bed.testbed.exec(['sleep', mark]);
    const refused = expect(running).rejects.toMatchObject({ name: 'TestbedError' });
    // It is seen nowhere in the moment in which its shell becomes it.
    await vi.waitFor(() => expect(markedProcesses()).toContainEqual(expect.stringContaining(` sleep ${mark}`)), 10_000);
    expect(await bed.testbed.close({ force: true })).toMatchObject({ leftovers: [] });
    await refused;
    // By force, nobody is waited for. An existing host's sshd lets a command go on whose connection is gone.
    const left = processesWith(mark);
    if (contained || server === 'stand-in') expect(left).toEqual([]);
    else for (const pid of left) process.kill(pid);
  });
}
