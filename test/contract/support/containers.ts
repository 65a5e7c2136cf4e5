import { configureBackend } from '../../../src/backends/index.ts';
import type { Capability } from '../../../src/events/index.ts';
import { type ContainerProgram, keptDocker, rootlessPodman, rootPodman } from '../../support/containers.ts';
import { bootableImage, IMAGE_USER } from '../../support/images.ts';
import { startInstanceDaemon } from '../../support/lxd.ts';
import type { Need } from '../../support/needs.ts';
import type { BackendUnderTest } from './backends.ts';

/** What a container can do that a shell holds, and what one with an init can besides. */
const WITHOUT_INIT: readonly Capability[] = ['root-on-testbed', 'revert', 'revert-full-system'];
const WITH_INIT: readonly Capability[] = [...WITHOUT_INIT, 'isolation-container', 'reboot'];

const PODMAN: readonly Need[] = ['root', 'podman', 'runc', 'mmdebstrap'];
const ROOTLESS: readonly Need[] = [...PODMAN, 'useradd', 'newuidmap', 'namespaces'];
const DOCKER: readonly Need[] = ['root', 'dockerd', 'pid-namespace', 'mmdebstrap'];

/** The backends of containers as the contract suite runs them. */
export const CONTAINERS: readonly BackendUnderTest[] = [
  entry('podman, held by a shell', 'podman', PODMAN, false, rootPodman),
  entry('podman, with an init', 'podman', PODMAN, true, rootPodman),
  entry('podman of an ordinary user', 'podman', ROOTLESS, false, () => rootlessPodman()),
  {
    ...entry('podman of an ordinary user, with an init', 'podman', ROOTLESS, true, () => rootlessPodman('own')),
    // The way in is that of the one before, and the init that of root's: here it is what comes of both.
    spared: ['abort', 'concurrency', 'copies', 'descriptors', 'teardown', 'reboots of tests'],
  },
  entry('docker, held by a shell', 'docker', DOCKER, false, keptDocker),
  entry('docker, with an init', 'docker', DOCKER, true, keptDocker),
  instances('lxd', 'lxd', []),
  {
    ...instances('lxd, privileged', 'lxd', ['--config=security.privileged=true']),
    // Whose files its files are is another matter; how it comes, is reached and goes is not.
    spared: ['abort', 'concurrency', 'descriptors', 'teardown', 'reboots of tests'],
  },
  instances('incus', 'incus', []),
];

/** What does not depend on who answers, or is seen of the stand-in in other testbeds. */
const NOT_BY_STAND_IN = ['open', 'exec', 'copies', 'concurrency', 'reboot', 'revert', 'abort', 'teardown'];

/** The same by the stand-in, for parts about what that makes by itself: terminals, users, descriptors. */
export const CONTAINERS_BY_STAND_IN: readonly BackendUnderTest[] = [
  byStandIn(entry('podman, by the stand-in', 'podman', PODMAN, false, rootPodman, 'stand-in')),
  byStandIn(entry('docker, by the stand-in', 'docker', DOCKER, false, keptDocker, 'stand-in')),
  byStandIn(instances('lxd, by the stand-in', 'lxd', [], 'stand-in')),
  byStandIn(instances('incus, by the stand-in', 'incus', [], 'stand-in')),
];

function byStandIn(backend: BackendUnderTest): BackendUnderTest {
  return { ...backend, server: 'stand-in', pty: ['node-pty'], spared: NOT_BY_STAND_IN };
}

function instances(name: string, kind: 'lxd' | 'incus', args: readonly string[], session = 'login'): BackendUnderTest {
  return {
    name,
    group: 'lxdAndIncus',
    needs: ['root', kind, 'pid-namespace', 'tar', 'mmdebstrap'],
    ordinary: [],
    pty: [],
    server: 'sshd',
    capabilities: WITH_INIT,
    login: 'root',
    contained: true,
    async prepare() {
      const daemon = await startInstanceDaemon(kind);
      const words = [kind, '--program', daemon.program, `--session=${session}`, daemon.image(bootableImage()), ...args];
      return {
        backend: await configureBackend(words),
        ordinary: IMAGE_USER,
        [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
      };
    },
  };
}

function entry(
  name: string,
  backend: 'podman' | 'docker',
  needs: readonly Need[],
  init: boolean,
  make: () => ContainerProgram | Promise<ContainerProgram>,
  session = 'login',
): BackendUnderTest {
  return {
    name,
    group: backend,
    needs,
    ordinary: [],
    pty: [],
    server: 'sshd',
    capabilities: init ? WITH_INIT : WITHOUT_INIT,
    login: 'root',
    contained: true,
    async prepare() {
      const host = await make();
      const image = host.image(bootableImage());
      const words = [backend, '--program', host.program, init ? '--init' : '--no-init', `--session=${session}`, image];
      return {
        backend: await configureBackend(words),
        ordinary: IMAGE_USER,
        [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
      };
    },
  };
}
