import { statSync } from 'node:fs';
import * as z from 'zod';
import { type Availability, BackendError, defineBackend } from '../contract.ts';
import { debugOption } from '../debugOption.ts';
import { QUESTION_LIMIT } from '../shared/enter.ts';
import { findImage } from '../shared/images/findImage.ts';
import { probeNamespaces } from '../shared/namespaces/identity.ts';
import { NamespaceTestbed, namespaceCapabilities } from '../shared/namespaces/NamespaceTestbed.ts';
import { missingPrograms } from '../shared/programs.ts';
import { sessionOptions } from '../shared/session/options.ts';

const options = z.object({
  image: z
    .string()
    .describe('root file system: a directory, which the tests write to, or a tarball, which they do not'),
  gainRoot: z
    .string()
    .optional()
    .describe(
      'taken as autopkgtest-virt-chroot takes it, and without meaning for root; anybody else runs trundle by it',
    ),
  ...sessionOptions,
  privateNetwork: z.boolean().default(false).describe('give the testbed a network of its own, with only the loopback'),
  ...debugOption,
});

/** A root file system entered as root, in namespaces that live as long as the testbed. */
export const chrootBackend = defineBackend({
  name: 'chroot',
  summary: 'a directory or tarball with a root file system, entered as root',
  options,
  help: { positional: ['image'], short: { debug: 'd', gainRoot: 'r' } },
  probe,
  capabilities: ({ image, login }) => namespaceCapabilities({ identity: 'root', inPlace: isDirectory(image), login }),
  open({ image, gainRoot, session, login, normalUser, privateNetwork }, host) {
    const inPlace = isDirectory(image);
    return new NamespaceTestbed(
      {
        identity: 'root',
        image: (signal) => {
          mustBeRoot(gainRoot);
          return findImage(image, 'root', { host, signal });
        },
        inPlace,
        binds: [],
        privateNetwork,
        addUser: null,
        session,
        login,
        normalUser,
      },
      host,
    );
  },
});

async function probe(): Promise<Availability> {
  const missing = missingPrograms(['unshare', 'nsenter', 'mount', 'chroot', 'flock', 'setpriv', 'tar']);
  if (missing !== null) return missing;
  if (!isRoot())
    return { available: false, missing: 'only root can', remedy: 'run trundle as root, or use the unshare backend' };
  return await probeNamespaces('root', AbortSignal.timeout(QUESTION_LIMIT));
}

function mustBeRoot(gainRoot: string | undefined): void {
  if (isRoot()) return;
  const remedy = gainRoot === undefined ? 'run trundle as root' : `run trundle itself by it: ${gainRoot} trundle ...`;
  throw new BackendError('no-permission', 'the chroot backend takes root', {
    remedy: `${remedy}, or use the unshare backend`,
  });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // It is missing, or out of this user's reach: create() tells what is wrong with it.
    return false;
  }
}
