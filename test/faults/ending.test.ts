import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { resourcesLeft } from '../../src/trace/index.ts';
import { open } from '../backends/support/open.ts';
import { makeMark, processesWith } from '../contract/support/marks.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { initOf } from './support/initOf.ts';
import { remainsOf } from './support/outside.ts';
import { PROVIDERS } from './support/providers.ts';
import { readAll } from './support/soundness.ts';
import { stuckRemoval } from './support/stuckRemoval.ts';
import { useTestbed } from './support/usedTestbed.ts';
import { useProvider } from './support/useProvider.ts';

for (const kind of PROVIDERS) {
  const { name, needs } = kind;
  describeWith([...needs, 'proc'], `a testbed of ${name}`, () => {
    const used = useProvider(kind);

    test('whose init is killed from outside: testbed-died', async () => {
      const { testbed, log } = await open(used.words());
      const mark = makeMark();
      const running = testbed.start(['sleep', mark]);
      const inits = await vi.waitFor(() => {
        const found = processesWith(mark).filter((pid) => argvOf(pid) === `sleep ${mark}`);
        expect(found).not.toEqual([]);
        return found.map(initOf);
      }, 20_000);
      process.kill(inits[0] ?? 0, 'SIGKILL');
      expect((await running.ended).result).toMatchObject({ kind: 'lost' });
      const { cause, leftovers } = await testbed.close();
      expect(cause, log.told()).toMatchObject({ class: 'testbed-died', phase: 'exec' });
      expect(leftovers).toEqual([]);
      expect(used.provider.testbeds?.(log.events[0]?.run ?? '') ?? []).toEqual([]);
    });

    test('whose removal never ends: teardown-failed by a deadline, with the command that removes it', async () => {
      const removal = stuckRemoval(name, used.words());
      const trace = join(workplace(), 'trace');
      const { end, log } = await useTestbed({
        backend: await configureBackend(removal.words),
        trace,
        options: { deadlines: { shutdown: 1000, destroy: 1000 } },
        use: async (testbed) => {
          expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
          removal.stick();
        },
      });
      expect(end, log.told()).toMatchObject({
        exitCode: 20,
        cause: { class: 'teardown-failed', phase: 'teardown', detail: 'not done within 1000 ms' },
      });
      expect(log.all('deadline.expired').map(({ deadline }) => deadline)).toContain('destroy');
      const [removed] = log.all('testbed.removed');
      const left = resourcesLeft((await readAll(trace)).lines);
      expect(removed?.leftovers).toEqual(left.map(({ resource }) => resource));
      await removal.mend(left);
      const { run } = log.events[0] ?? { run: '' };
      await expect.poll(() => remainsOf(run), { timeout: 20_000 }).toEqual([]);
      expect(used.provider.testbeds?.(run) ?? []).toEqual([]);
    });
  });
}

/** Without the clients of daemons, which have what is run in their own words. */
function argvOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
  } catch {
    // It ended while we looked.
    return '';
  }
}
