import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explain } from '../../src/backends/containers/explain.ts';
import { without } from '../faults/support/hiding.ts';
import { runIn } from '../faults/support/runIn.ts';
import { asUser, type Cgroups, endOwnCgroup, rootlessPodman, rootPodman, scriptAt } from '../support/containers.ts';
import { bootableImage, IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { containerSuite } from './support/containerSuite.ts';
import { refusal } from './support/open.ts';
import { makeOrdinary } from './support/ordinary.ts';

containerSuite({ name: 'podman', needs: ['root', 'podman', 'runc'], make: async () => rootPodman() });

describeWith(['root', 'podman', 'runc', 'mmdebstrap', 'useradd', 'newuidmap', 'namespaces'], 'rootless podman', () => {
  const boot = async (cgroups: Cgroups) => {
    await using podman = rootlessPodman(cgroups);
    return await refusal(['podman', '--program', podman.program, '--init', podman.image(bootableImage())]);
  };

  test(
    'boots no init where no control group is the user’s own, and says at once what mends it',
    async () => {
      expect(await boot('seen')).toMatchObject({
        code: 'no-delegation',
        message: expect.stringContaining('Failed to create /init.scope control group: Permission denied'),
        remedy: expect.stringContaining('loginctl enable-linger'),
        class: 'boot-failed',
        phase: 'boot',
      });
    },
    IMAGE_PATIENCE,
  );

  test('is known to boot none, before anything is tried', async () => {
    const user = forThisTest(makeOrdinary({ subuids: true }));
    const told = async (cgroups: Cgroups) =>
      (await user.run(['backends', 'podman'], {}, asUser(user.login, cgroups))).stdout;
    expect(await told('seen')).toMatch(
      /without --init only: no control group is this user's own; loginctl enable-linger/,
    );
    expect(await told('own')).not.toContain('--init only');
    endOwnCgroup(user.login);
  });
});

describeWith(['root', 'podman', 'runc', 'overlay', 'prlimit'], 'trundle backends podman, of root', () => {
  /** What it tells, with a configuration of one's own, where a command line that begins so says what the machine is like. */
  const told = async (prefix: readonly string[], conf: string, path = '/usr/bin') => {
    const file = join(workplace(), 'containers.conf');
    writeFileSync(file, conf);
    const env = { CONTAINERS_CONF: file, PATH: `${path}:${process.env.PATH}` };
    const { stdout } = await runIn(prefix, ['backends', 'podman', '--json'], env);
    return JSON.parse(stdout).availability;
  };
  const LIMITS = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n';

  test('says so where nothing can hold a container, unless it is told what could', async () => {
    expect(await told(without(['conmon']), LIMITS)).toEqual({
      available: false,
      missing: expect.stringMatching(/^no conmon/),
      remedy: 'apt-get install conmon',
    });
    const named = `${LIMITS}[engine]\nconmon_path = ["/opt/conmon"]\n`;
    expect(await told(without(['conmon']), named)).toMatchObject({ available: true });
  });

  test('says so where it may not have the limits that it asks for, until others are configured', async () => {
    const place = workplace();
    scriptAt(join(place, 'podman'), 'echo podman version 4.3.1');
    const low = ['setpriv', '--bounding-set', '-sys_resource', 'prlimit', '--nofile=4096:4096'];
    expect(await told(low, '', place)).toEqual({
      available: false,
      missing: expect.stringMatching(/CAP_SYS_RESOURCE.*nofile 4096/),
      remedy: expect.stringContaining('default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]'),
    });
    expect(await told(low, LIMITS, place)).toMatchObject({ available: true });
  });
});

test('podman that cannot limit the number of processes is told how to do without', () => {
  const stderr =
    'Error: runc: runc create failed: unable to apply cgroup configuration: open /sys/fs/cgroup/libpod_parent/x/pids.max: no such file or directory: OCI runtime attempted to invoke a command that was not found';
  const attempt = {
    engine: { name: 'podman', argv: ['podman'] },
    container: 'c',
    image: 'i',
    doing: 'x',
    code: 'y',
  } as const;
  expect(explain({ status: 127, killedBy: null, stderr }, attempt)).toMatchObject({
    code: 'no-cgroups',
    remedy: expect.stringContaining('after the image: --pids-limit=0'),
  });
});
