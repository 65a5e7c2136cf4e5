import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Phase } from '../../src/events/index.ts';
import { makeOrdinary, type Ordinary } from '../backends/support/ordinary.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { without } from './support/hiding.ts';
import { PROVIDERS, type Provider, type ProviderKind } from './support/providers.ts';
import { refusalsOf, refusedText, refusedWords } from './support/refused.ts';
import { runIn } from './support/runIn.ts';

/** What a machine may lack, and in which phase the backend comes to need it. */
const LACKED: Readonly<Record<ProviderKind['name'], readonly (readonly [program: string, phase: Phase])[]>> = {
  chroot: [
    ['flock', 'provision'],
    ['tar', 'provision'],
    ['setpriv', 'provision'],
    ['unshare', 'boot'],
    ['mount', 'boot'],
    ['nsenter', 'boot'],
  ],
  unshare: [
    ['tar', 'provision'],
    ['unshare', 'boot'],
    ['chroot', 'boot'],
    ['nsenter', 'boot'],
  ],
  nspawn: [
    ['tar', 'provision'],
    ['unshare', 'boot'],
    ['systemd-nspawn', 'boot'],
    ['nsenter', 'boot'],
  ],
  lxc: [
    ['tar', 'provision'],
    ['lxc-start', 'boot'],
  ],
  schroot: [['schroot', 'provision']],
  podman: [
    ['podman', 'provision'],
    ['conmon', 'provision'],
    ['runc', 'provision'],
  ],
  docker: [['docker', 'provision']],
  lxd: [['lxc', 'provision']],
  incus: [['incus', 'provision']],
};

/** Programs that are a backend's own. */
const CLIENTS = ['podman', 'docker', 'lxc', 'incus'];

/** Runs a command in a testbed, where programs are missing. */
async function execWithout(programs: readonly string[], words: readonly string[]) {
  const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
  return await runIn(without(programs), ['exec', '--json', '-n', 'true', '--', ...words], env);
}

for (const { name, needs, make } of PROVIDERS) {
  describeWith([...needs, 'overlay', 'useradd'], `${name} says what it lacks`, () => {
    let provider: Provider;
    let image = '';
    let user: Ordinary;
    beforeAll(async () => {
      provider = await make();
      image = provider.image();
      user = makeOrdinary({ subuids: false });
    }, IMAGE_PATIENCE);
    afterAll(async () => {
      user?.[Symbol.dispose]();
      await provider?.[Symbol.asyncDispose]();
    });

    test.each(LACKED[name])('where there is no %s: program-missing', async (program, phase) => {
      // What is given by --program is a script here, which would miss it in its own words.
      const words = CLIENTS.includes(program) ? [name, image] : provider.words(image);
      const end = await execWithout([program], words);
      expect(end.stderr).toMatch(/: program-missing: .*\(to mend it: apt-get install /);
      const { run, cause } = JSON.parse(end.stdout);
      expect(cause).toMatchObject({ class: phase === 'boot' ? 'boot-failed' : 'provision-failed', phase });
      expect(end.status).toBe(16);
      expect(provider.testbeds?.(run) ?? []).toEqual([]);
    });

    const refusals = refusalsOf(name);
    if (refusals.length === 0) return;
    test('where the user may not: no-permission', async () => {
      for (const refused of refusals) {
        const words = refusedWords(name, image, refused);
        const end = await user.run(['exec', '--json', '-n', 'true', '--', ...words], provider.env ?? {});
        expect(end.stderr).toMatch(refusedText(refused));
        expect(JSON.parse(end.stdout)).toMatchObject({ cause: { class: 'provision-failed', phase: 'provision' } });
        expect(end.status).toBe(16);
        expect(readdirSync(user.temporary)).toEqual([]);
      }
    });
  });
}
