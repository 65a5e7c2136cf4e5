import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventType, Phase } from '../../../src/events/index.ts';
import { workplace } from '../../support/workplace.ts';
import type { Contract } from '../support/contract.ts';
import { makeMark, processesWith } from '../support/marks.ts';

/** By which event each phase of opening is recognised. */
const PHASES: readonly { what: string; phase: Phase; begins: EventType }[] = [
  { what: 'provisioning', phase: 'provision', begins: 'startup.requested' },
  { what: 'booting', phase: 'boot', begins: 'provision.completed' },
  { what: 'connecting', phase: 'ssh-ready', begins: 'dial.started' },
  { what: 'authenticating', phase: 'ssh-ready', begins: 'hostkey.verified' },
];

export function abort(contract: Contract): void {
  test('before anything: the testbed never comes to be', async () => {
    const opening = contract.open({ signal: AbortSignal.abort(new Error('never mind')) });
    await expect(opening).rejects.toMatchObject({ name: 'TestbedError', cause: { class: 'operator-interrupted' } });
  });

  // That nothing is left is checked by open() itself.
  test.each(PHASES)('while $what: what stands is taken down', async ({ begins, phase }) => {
    const aborter = new AbortController();
    const opening = contract.open({
      signal: aborter.signal,
      onRun: (run) =>
        void run.events$.subscribe(({ type }) => {
          if (type === begins) aborter.abort(new Error('changed my mind'));
        }),
    });
    await expect(opening).rejects.toMatchObject({
      name: 'TestbedError',
      cause: { class: 'operator-interrupted', phase },
    });
  });

  test('once it is open: it is closed', async () => {
    const aborter = new AbortController();
    await using bed = await contract.open({ signal: aborter.signal });
    aborter.abort(new Error('enough'));
    await bed.log.first('testbed.removed');
    await expect(bed.testbed.exec(['true'])).rejects.toThrow(/closed/);
  });

  test('in a command: its process group ends, and the testbed goes on', async () => {
    const mark = makeMark();
    const aborter = new AbortController();
    const { log, testbed } = contract;
    const told = log.events.length;
    const running = testbed.exec(`sleep ${mark} & sleep ${mark}; true`, { signal: aborter.signal });
    await log.first('command.started', ({ seq }) => seq > told);
    aborter.abort(new Error('that is long enough'));
    await expect(running).rejects.toMatchObject({
      result: { kind: 'cancelled' },
      cause: { class: 'operator-interrupted' },
    });
    expect(processesWith(mark)).toEqual([]);
    expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('in a command that nobody has started yet', async () => {
    const running = contract.testbed.exec(['true'], { signal: AbortSignal.abort(new Error('not at all')) });
    await expect(running).rejects.toMatchObject({ result: { kind: 'cancelled' } });
    expect(await contract.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('in a copy: no half of a file stays, and the testbed goes on', async () => {
    const { testbed } = contract;
    const big = join(workplace(), 'big');
    writeFileSync(big, Buffer.alloc(64 * 1024 * 1024));
    const scratch = (await testbed.exec('mktemp -d')).stdout.trim();
    const aborter = new AbortController();
    const copy = testbed.copyDown(big, `${scratch}/big`, {
      signal: aborter.signal,
      onProgress: () => aborter.abort(new Error('stop')),
    });
    await expect(copy).rejects.toMatchObject({ name: 'TestbedError' });
    expect((await testbed.exec(['ls', '-A', scratch])).stdout).toBe('');
    await testbed.exec(['rm', '-rf', scratch]);
  });

  const again = (['reboot', 'revert'] as const).filter((verb) => contract.backend.capabilities.includes(verb));
  // Nobody knows what it is in the middle of it, so it is of no use any more.
  test.each(again)('in a %s: the testbed is taken down', async (verb) => {
    await using bed = await contract.open();
    const aborter = new AbortController();
    const under = bed.testbed[verb]({ signal: aborter.signal });
    const refused = expect(under).rejects.toMatchObject({
      name: 'TestbedError',
      cause: { class: 'operator-interrupted', phase: verb },
    });
    aborter.abort(new Error('not now'));
    await refused;
    await bed.log.first('testbed.removed');
    await expect(bed.testbed.exec(['true'])).rejects.toThrow(/closed/);
  });
}
