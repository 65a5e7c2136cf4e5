import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { type Availability, BackendError, type BackendHost, defineBackend } from '../contract.ts';
import { QUESTION_LIMIT } from '../shared/enter.ts';
import { bootstrap } from '../shared/images/bootstrap.ts';
import { findImage } from '../shared/images/findImage.ts';
import { sbuildImage } from '../shared/images/sbuildImage.ts';
import { bestIdentity, type Identity, probeNamespaces, whyNoSubuids } from '../shared/namespaces/identity.ts';
import { type BaseImage, NamespaceTestbed, namespaceCapabilities } from '../shared/namespaces/NamespaceTestbed.ts';
import type { SetupPlan } from '../shared/namespaces/setupScript.ts';
import { missingPrograms } from '../shared/programs.ts';
import { type UnshareOptions, unshareOptions } from './options.ts';

/** A root file system in namespaces of its own; an ordinary user will do. */
export const unshareBackend = defineBackend({
  name: 'unshare',
  summary: 'a tarball or directory in namespaces of its own; needs no root',
  options: unshareOptions,
  help: {
    short: { arch: 'a', bind: 'b', debug: 'd', mirror: 'm', prefix: 'p', release: 'r', tarball: 't' },
    pairs: ['bind'],
    refused: {
      '-u, --unpack-dir':
        'an image is unpacked into the cache, and what a testbed writes is in $TMPDIR. Set XDG_CACHE_HOME and TMPDIR instead',
      '--bootstrapcmd':
        'the image is made by mmdebstrap. Give --bootstrap, with --mirror and --include, or make a tarball and give --tarball',
    },
  },
  probe,
  capabilities: ({ map, login }) => namespaceCapabilities({ identity: identityOf(map), inPlace: false, login }),
  open(options, host) {
    const { session, login, normalUser, privateNetwork, bind, map } = options;
    const identity = identityOf(map);
    return new NamespaceTestbed(
      {
        identity,
        image: async (signal) => {
          await checkBinds(parseBinds(bind));
          return await imageOf(options, identity, host, signal);
        },
        inPlace: false,
        binds: parseBinds(bind),
        privateNetwork,
        addUser: 'unshare',
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
  const identity = bestIdentity();
  const answer = await probeNamespaces(identity, AbortSignal.timeout(QUESTION_LIMIT));
  if (!answer.available) return answer;
  const why = whyNoSubuids();
  if (identity !== 'single' || why === null) return { available: true, detail: `--map=${identity}` };
  return { available: true, detail: `--map=single, without a root in it: ${why.missing}; ${why.remedy}` };
}

function identityOf(map: UnshareOptions['map']): Identity {
  return map === 'auto' ? bestIdentity() : map;
}

async function imageOf(
  { tarball, release, arch, include, mirror, bootstrap: make }: UnshareOptions,
  identity: Identity,
  host: BackendHost,
  signal: AbortSignal,
): Promise<BaseImage> {
  if (identity === 'root' && process.getuid?.() !== 0)
    throw new BackendError('no-permission', '--map=root takes root', { remedy: '--map=auto, or run trundle as root' });
  const why = identity === 'subuids' ? whyNoSubuids() : null;
  if (why !== null) throw new BackendError('no-subuids', why.missing, { remedy: `${why.remedy}; or --map=single` });
  if (make && tarball !== undefined)
    throw new BackendError('usage', '--bootstrap makes the image that --tarball would name: give one of them');
  if (!make && (mirror.length > 0 || include.length > 0))
    throw new BackendError('usage', '--mirror and --include say how to bootstrap: give --bootstrap as well');
  const find = (path: string) => findImage(path, identity, { host, signal });
  if (make)
    return await bootstrap({ release: release ?? 'stable', arch, include, mirror }, identity, { host, signal }, find);
  return await find(tarball ?? (await sbuildImage({ release, arch })));
}

function parseBinds(words: readonly string[]): SetupPlan['binds'] {
  return words.map((word) => {
    const colon = word.indexOf(':');
    return { outside: resolve(word.slice(0, Math.max(0, colon))), inside: word.slice(colon + 1) };
  });
}

async function checkBinds(binds: SetupPlan['binds']): Promise<void> {
  for (const { outside, inside } of binds) {
    if (!isAbsolute(inside)) throw new BackendError('usage', `--bind ${outside}:${inside}: INSIDE is no absolute path`);
    const found = await stat(outside).catch(() => null);
    if (found?.isDirectory() !== true)
      throw new BackendError('usage', `--bind ${outside}:${inside}: there is no directory ${outside}`);
  }
}
