import { configureBackend } from '../../../src/backends/index.ts';
import { debianImage } from '../../support/images.ts';
import type { Need } from '../../support/needs.ts';
import type { BackendUnderTest } from './backends.ts';

const NEEDS: readonly Need[] = ['ordinary-user', 'unshare', 'namespaces', 'tar', 'mmdebstrap'];

/** The name of the account that the backend adds to an image which has root only. */
const ADDED = 'unshare';

/** unshare without any root on this machine, as the contract suite runs it. */
export const UNSHARE_ORDINARY: readonly BackendUnderTest[] = [
  withSubuids('unshare of an ordinary user, by its sshd', 'sshd'),
  {
    ...withSubuids('unshare of an ordinary user, by the stand-in', 'stand-in'),
    // The namespaces are those of the one before, and the server that of root's: here it is what comes of both.
    spared: ['abort', 'concurrency', 'copies'],
  },
  withSingleId('unshare of a single id, by its sshd', 'sshd'),
  { ...withSingleId('unshare of a single id, by the stand-in', 'stand-in'), spared: ['abort', 'concurrency'] },
];

function withSubuids(name: string, server: 'sshd' | 'stand-in'): BackendUnderTest {
  return {
    ...alike(name, server, 'subuids'),
    needs: [...NEEDS, 'subuids'],
    ordinary: [],
    capabilities: ['root-on-testbed', 'revert', 'revert-full-system'],
    login: 'root',
  };
}

function withSingleId(name: string, server: 'sshd' | 'stand-in'): BackendUnderTest {
  return {
    ...alike(name, server, 'single'),
    needs: NEEDS,
    // There is one user, who is nobody's root: the account of the endpoint is the ordinary one.
    ordinary: null,
    capabilities: ['revert', 'revert-full-system'],
    login: ADDED,
  };
}

function alike(name: string, server: 'sshd' | 'stand-in', map: 'subuids' | 'single') {
  const session = server === 'sshd' ? 'login' : 'stand-in';
  const pty: readonly Need[] = server === 'sshd' ? [] : ['node-pty'];
  return {
    name,
    group: 'ordinary',
    server,
    pty,
    contained: true,
    async prepare() {
      const words = ['unshare', '--tarball', debianImage(), '--map', map, '--session', session];
      return {
        backend: await configureBackend(words),
        ordinary: map === 'single' ? null : ADDED,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  } as const;
}
