import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { everyBackend, processesWith } from './support/everyBackend.ts';

/** An argument of sleep(1) that no other process has. */
function mark(): string {
  return `31${randomBytes(4).readUInt32LE()}`;
}

// That a trace replays the same and that no resource, directory or mount stays is checked at every close.
everyBackend(
  'teardown',
  (contract) => {
    test('ends what runs, and says so to who waits for it', async () => {
      await using bed = await contract.open();
      const first = mark();
      const running = bed.testbed.exec(`sleep ${first} & sleep ${first}; true`);
      const refused = expect(running).rejects.toMatchObject({ name: 'TestbedError' });
      await bed.log.first('command.started');
      await bed.close();
      await refused;
      expect(processesWith(first)).toEqual([]);
    });

    test('ends daemons too, where the testbed contains them', async () => {
      if (!contract.backend.contained) return;
      await using bed = await contract.open();
      const daemon = mark();
      await bed.testbed.exec(`setsid -f sleep ${daemon} </dev/null >/dev/null 2>&1`);
      expect(processesWith(daemon)).not.toEqual([]);
      await bed.close();
      expect(processesWith(daemon)).toEqual([]);
    });

    test('by force ends all the same', async () => {
      await using bed = await contract.open();
      const running = bed.testbed.exec('sleep 1000000');
      const refused = expect(running).rejects.toMatchObject({ name: 'TestbedError' });
      await bed.log.first('command.started');
      expect(await bed.testbed.close({ force: true })).toMatchObject({ leftovers: [] });
      await refused;
    });

    test('twice is once', async () => {
      await using bed = await contract.open();
      const [one, other] = await Promise.all([bed.testbed.close(), bed.testbed.close()]);
      expect(one).toBe(other);
      expect(await bed.testbed.close()).toMatchObject({ leftovers: [], cause: null });
      expect(bed.log.all('teardown.requested').filter(({ reason }) => reason === 'closed')).toHaveLength(1);
    });

    test('leaves a handle that refuses everything and says why', async () => {
      await using bed = await contract.open();
      const { testbed } = bed;
      await testbed.close();
      await expect(testbed.exec(['true'])).rejects.toThrow(/testbed tb1 is closed/);
      expect(() => testbed.start(['true'])).toThrow(/is closed/);
      await expect(testbed.copyDown('/etc/hostname', '/tmp/x')).rejects.toThrow(/is closed/);
      await expect(testbed.copyUp('/etc/hostname', '/tmp/x')).rejects.toThrow(/is closed/);
      await expect(testbed.reboot()).rejects.toThrow(/is closed/);
      await expect(testbed.revert()).rejects.toThrow(/is closed/);
    });

    test('completes the stream of events, every one in its place', async () => {
      await using bed = await contract.open();
      let completed = false;
      const seen: number[] = [];
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
      await bed.close();
      expect(completed).toBe(true);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(bed.log.events.map(({ seq }) => seq)).toEqual(bed.log.events.map((_, index) => index + 1));
    });
  },
  { shared: false },
);
