import { rootPodman } from '../support/containers.ts';
import { containerSuite } from './support/containerSuite.ts';

containerSuite({ name: 'podman', needs: ['root', 'podman', 'runc'], make: async () => rootPodman() });
