import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { rootPodman, rootStorage, scriptAt } from '../support/containers.ts';
import { bootableImage, IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith, findProgram } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open } from './support/open.ts';

const DOCUMENT = new URL('../../docs/backends-shared.md', import.meta.url);

/** The script that the documentation gives for machines with cgroup v1, and the words that it has after the image. */
function documented(): { script: string; words: string[] } {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [, script = ''] = /^ {4}#!\/bin\/sh\n((?: {4}.*\n)+)/m.exec(text) ?? [];
  const [, command = ''] = /^ {4}trundle run .*--program \S+ --init IMAGE(.*)$/m.exec(text) ?? [];
  const [limits = ''] = /--ulimit nofile=\S+\s+--ulimit nproc=[\d:]+/.exec(text) ?? [];
  return { script: script.replaceAll(/^ {4}/gm, ''), words: `${command} ${limits}`.trim().split(/\s+/) };
}

describeWith(['root', 'podman', 'runc', 'mmdebstrap'], 'podman by the script of the documentation', () => {
  test(
    'boots an init, with the options that stand there and no configuration',
    async () => {
      const { script, words } = documented();
      const place = workplace();
      const program = scriptAt(join(place, 'podman-with-v2'), script);
      // It is this machine's podman that the script runs; only its images are ours.
      scriptAt(join(place, 'podman'), `exec ${findProgram('podman')} ${rootStorage()} "$@"`);
      const conf = join(place, 'containers.conf');
      writeFileSync(conf, '');
      vi.stubEnv('PATH', `${place}:${process.env.PATH}`);
      vi.stubEnv('CONTAINERS_CONF', conf);
      onTestFinished(() => void vi.unstubAllEnvs());
      const image = forThisTest(rootPodman()).image(bootableImage());
      const { testbed } = await open(['podman', '--program', program, '--init', image, ...words]);
      expect((await testbed.exec(['systemctl', 'is-system-running'])).stdout).toBe('running\n');
    },
    IMAGE_PATIENCE,
  );
});
