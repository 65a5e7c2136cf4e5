import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TrundleEvent } from '../../src/events/index.ts';
import { type Bed, everyBackend } from './support/everyBackend.ts';
import { makeMark, markedProcesses, processesWith } from './support/marks.ts';

// That a trace replays the same and that no resource, directory or mount stays is checked at every close.
everyBackend(
  'teardown',
  (contract) => {
    test('ends what runs, and says so to who waits for it', async () => {
      await using bed = await contract.open();
      const first = makeMark();
      const running = bed.testbed.exec(`sleep ${first} & sleep ${first}; true`);
      const refused = expect(running).rejects.toMatchObject({ name: 'TestbedError' });
      await bed.log.first('command.started');
      await bed.close();
      await refused;
      expect(processesWith(first)).toEqual([]);
    });

    if (contract.backend.contained) {
      test('ends daemons too', async () => {
        await using bed = await contract.open();
        const daemon = makeMark();
        await bed.testbed.exec(`setsid -f sleep ${daemon} </dev/null >/dev/null 2>&1`);
        // It is seen nowhere in the moment in which setsid becomes it.
        await vi.waitFor(() => expect(processesWith(daemon)).not.toEqual([]), 10_000);
        await bed.close();
        expect(processesWith(daemon)).toEqual([]);
      });
    }

    test('by force ends all the same', async () => {
      const mark = makeMark();
      await using bed = await contract.open();
      const running = bed.testbed.exec(['sleep', mark]);
      const refused = expect(running).rejects.toMatchObject({ name: 'TestbedError' });
      // It is seen nowhere in the moment in which its shell becomes it.
      await vi.waitFor(
        () => expect(markedProcesses()).toContainEqual(expect.stringContaining(` sleep ${mark}`)),
        10_000,
      );
      expect(await bed.testbed.close({ force: true })).toMatchObject({ leftovers: [] });
      await refused;
      // By force, nobody is waited for. An existing host's sshd lets a command go on whose connection is gone.
      const { contained, server } = contract.backend;
      const left = processesWith(mark);
      if (contained || server === 'stand-in') expect(left).toEqual([]);
      else for (const pid of left) process.kill(pid);
    });

    describe('once it is over', () => {
      let bed: Bed;
      let events: readonly TrundleEvent[];
      let completed = false;
      const seen: number[] = [];
      beforeAll(async () => {
        bed = await contract.open();
        bed.testbed.events$.subscribe({
          next: ({ seq, testbed }) => {
            expect(testbed).toBe(bed.testbed.id);
            seen.push(seq);
          },
          complete: () => {
            completed = true;
          },
        });
        await bed.testbed.exec(['true']);
        // Twice is once.
        const [one, other] = await Promise.all([bed.testbed.close(), bed.testbed.close()]);
        expect(one).toBe(other);
        events = await bed.close();
      });
      afterAll(() => bed[Symbol.asyncDispose]());

      test('was done once, however often it was asked for', async () => {
        expect(await bed.testbed.close()).toMatchObject({ leftovers: [], cause: null });
        expect(events.filter((event) => event.type === 'teardown.requested' && event.reason === 'closed')).toHaveLength(
          1,
        );
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
  },
  { shared: false },
);
