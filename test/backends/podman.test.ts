import { expect, test } from 'vitest';
import { asUser, type Cgroups, endOwnCgroup, rootlessPodman, rootPodman } from '../support/containers.ts';
import { bootableImage, IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
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
