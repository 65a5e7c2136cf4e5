import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { open } from '../backends/support/open.ts';
import { makeMark, processesWith } from '../contract/support/marks.ts';
import { scriptAt } from '../support/containers.ts';
import { describeWith, findProgram } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { initOf } from './support/initOf.ts';
import { remainsOf } from './support/outside.ts';
import { PROVIDERS, type ProviderKind } from './support/providers.ts';
import { readAll } from './support/soundness.ts';
import { useTestbed } from './support/usedTestbed.ts';
import { useProvider } from './support/useProvider.ts';

/** The program by which each backend takes a testbed away, and the word by which it is known that it does. */
const REMOVERS: Readonly<Record<ProviderKind['name'], readonly [program: string, word: string]>> = {
  chroot: ['rm', '-rf'],
  unshare: ['rm', '-rf'],
  nspawn: ['rm', '-rf'],
  lxc: ['rm', '-rf'],
  schroot: ['schroot', '--end-session'],
  podman: ['podman', 'rm'],
  docker: ['docker', 'rm'],
  lxd: ['lxc', 'delete'],
  incus: ['incus', 'delete'],
};

/** The kind of what is left where the removal never ends. */
const LEFT: Partial<Record<ProviderKind['name'], string>> = {
  schroot: 'session',
  podman: 'container',
  docker: 'container',
  lxd: 'container',
  incus: 'container',
};

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
      const place = workplace();
      const stuck = join(place, 'stuck');
      const [program, word] = REMOVERS[name];
      const given = used.words();
      const at = given.indexOf('--program');
      const real = at === -1 ? (findProgram(program) ?? '') : (given[at + 1] ?? '');
      mkdirSync(join(place, 'bin'));
      const script = `if [ -e '${stuck}' ]; then case " $* " in *" ${word} "*) sleep 1000; exit 1;; esac; fi; exec ${real} "$@"`;
      const wrapper = scriptAt(join(place, 'bin', program), script);
      if (at === -1) {
        vi.stubEnv('PATH', `${join(place, 'bin')}:${process.env.PATH}`);
        onTestFinished(() => void vi.unstubAllEnvs());
      } else given[at + 1] = wrapper;
      const trace = join(place, 'trace');
      const { end, log } = await useTestbed({
        backend: await configureBackend(given),
        trace,
        options: { deadlines: { shutdown: 1000, destroy: 1000 } },
        use: async (testbed) => {
          expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
          writeFileSync(stuck, '');
        },
      });
      expect(end, log.told()).toMatchObject({
        exitCode: 20,
        cause: { class: 'teardown-failed', phase: 'teardown', detail: 'not done within 1000 ms' },
      });
      expect(log.all('deadline.expired').map(({ deadline }) => deadline)).toContain('destroy');
      // Who was not waited for any more does not go on.
      await expect.poll(() => processesWith(place), { timeout: 20_000 }).toEqual([]);
      const [removed] = log.all('testbed.removed');
      const { events } = await readAll(trace);
      const left = events.filter(
        (event) => event.type === 'resource.acquired' && removed?.leftovers.includes(event.resource),
      );
      expect(left).toContainEqual(expect.objectContaining({ kind: LEFT[name] ?? 'directory' }));
      rmSync(stuck);
      for (const event of left.toReversed()) {
        if (event.type !== 'resource.acquired') continue;
        const { release = ['rm', '-rf', event.name] } = event;
        const [first = '', ...args] = release;
        const done = spawnSync(first, args, { encoding: 'utf8', timeout: 60_000 });
        expect([done.status, done.stderr]).toEqual([0, '']);
        if (event.kind === 'directory') expect(existsSync(event.name)).toBe(false);
      }
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
