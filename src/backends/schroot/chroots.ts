import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Capability } from '../../events/index.ts';
import { ownAccount } from '../../host/index.ts';
import { BackendError } from '../contract.ts';
import { installCommand } from '../shared/programs.ts';
import { ownEnvironment } from '../shared/runProgram.ts';

/** Milliseconds that schroot may take to tell its configuration. It only reads files. */
const CONFIG_LIMIT = 10_000;

/** A chroot as schroot.conf(5) describes it; keys without a value are empty. */
export type ChrootConfig = ReadonlyMap<string, string>;

/** Where schroot(1) reads what chroots there are. */
const FILES = '/etc/schroot';

/** What was read of chroots, and the state that schroot's files were in. */
const known = new Map<string, { state: string; config: ChrootConfig }>();

/**
 * What schroot(1) is configured to do for a chroot.
 * @throws BackendError `image-missing`, `config-damaged`, `program-missing`
 */
export function readChroot(name: string): ChrootConfig {
  // Before schroot reads them: what is changed meanwhile is read anew next time.
  const state = stateOfFiles();
  const before = known.get(name);
  if (before !== undefined && before.state === state) return before.config;
  const config = askForChroot(name);
  if (state !== null) known.set(name, { state, config });
  return config;
}

/** Tells any change of schroot's files; null where they are not where Debian has them. */
function stateOfFiles(): string | null {
  try {
    const folder = join(FILES, 'chroot.d');
    const names = readdirSync(folder).sort();
    const files = [join(FILES, 'schroot.conf'), folder, ...names.map((name) => join(folder, name))];
    return files
      .map((path) => {
        const { dev, ino, size, ctimeNs } = statSync(path, { bigint: true });
        return [path, dev, ino, size, ctimeNs].join(':');
      })
      .join('\n');
  } catch {
    // schroot is asked each time.
    return null;
  }
}

function askForChroot(name: string): ChrootConfig {
  const { status, stdout, stderr } = ask(['--config', '--chroot', name]);
  const config = parseConfig(stdout);
  if (status === 0 && config.has('type')) return config;
  const others = listChroots();
  throw new BackendError(
    'image-missing',
    `schroot knows no chroot ${name}: ${complaintIn(stderr) ?? 'it has no type'}`,
    {
      remedy:
        others.length === 0
          ? HOW_TO_DEFINE
          : `take one of these: ${others.join(', ')}; or define it in /etc/schroot/chroot.d/`,
    },
  );
}

/**
 * What schroot(1) is configured to do for each chroot that sessions can be begun of.
 * @throws BackendError `config-damaged`, `program-missing`
 */
export function readChroots(): { name: string; config: ChrootConfig }[] {
  return listChroots().flatMap((name) => {
    try {
      return [{ name, config: readChroot(name) }];
    } catch (error) {
      // It has gone since, and says nothing of the others.
      if (error instanceof BackendError && error.code === 'image-missing') return [];
      throw error;
    }
  });
}

/** Names of the chroots that sessions can be begun of. @throws BackendError `config-damaged`, `program-missing` */
function listChroots(): string[] {
  const { status, stdout, stderr } = ask(['--list', '--all-chroots', '--all-source-chroots']);
  const complaint = complaintIn(stderr);
  // One line that it cannot read, and schroot knows none of all its chroots.
  if (status !== 0 && complaint !== null)
    throw new BackendError('config-damaged', `schroot cannot read what chroots there are: ${complaint}`, {
      remedy: 'mend that; schroot --list tells whether it can be read',
    });
  return chrootNames(stdout);
}

/** The chroots that `schroot --list` names. Pure. */
export function chrootNames(text: string): string[] {
  const names = (kind: string) =>
    text.split('\n').flatMap((line) => (line.startsWith(`${kind}:`) ? [line.slice(kind.length + 1)] : []));
  // As older versions of schroot called them, and still listed for each alias; `schroot --config` does not know them.
  const sources = new Set(names('source').map((name) => `${name}-source`));
  return names('chroot').filter((name) => !sources.has(name));
}

/** The line with which schroot(1) fails, among warnings about what is none of ours; null where it says nothing. Pure. */
function complaintIn(stderr: string): string | null {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => line.startsWith('E: '))?.slice(3) ?? lines.at(-1) ?? null;
}

/** Commands that make a chroot known. */
export const HOW_TO_DEFINE =
  'mmdebstrap --include=openssh-server stable /srv/chroot/stable.tar && printf ' +
  "'[stable]\\ntype=file\\nfile=/srv/chroot/stable.tar\\nprofile=minimal\\nsetup.nssdatabases=\\nroot-groups=root,sbuild\\n' " +
  '>/etc/schroot/chroot.d/stable';

/** Reads what `schroot --config` prints. Pure. */
export function parseConfig(text: string): ChrootConfig {
  const lines = text.split('\n').filter((line) => /^[^#[=]+=/.test(line));
  return new Map(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)] as const;
    }),
  );
}

/** Whether tests would write into the chroot itself: then nothing could be put back. Pure. */
export function isPermanent(config: ChrootConfig): boolean {
  const union = config.get('union-type') ?? '';
  const type = config.get('type');
  return ['directory', 'plain', 'loopback', 'block-device'].includes(type ?? '') && (union === '' || union === 'none');
}

/** As whom this process may go into sessions of a chroot: as root or itself, as itself only, or not at all. */
export type Admission = 'root' | 'itself' | 'none';

/** Whom schroot(1) takes this process for: root may always, others where schroot.conf(5) names them or a group of theirs. */
export function admission(config: ChrootConfig): Admission {
  if (process.getuid?.() === 0 || isNamed(config, 'root-')) return 'root';
  return isNamed(config, '') ? 'itself' : 'none';
}

/** Whether this process may be root in sessions of a chroot. */
export function mayBeRoot(config: ChrootConfig): boolean {
  return admission(config) === 'root';
}

/** What has schroot(1) let a user in, by their name or as they are addressed. Pure. */
export function howToAdmit(chroot: string, user: string): string {
  return `as root: add ${user} to users= (and to root-users=, to be root inside) of [${chroot}] in /etc/schroot/chroot.d/`;
}

function isNamed(config: ChrootConfig, prefix: '' | 'root-'): boolean {
  const names = (key: string) => (config.get(`${prefix}${key}`) ?? '').split(',').filter((name) => name !== '');
  if (names('users').includes(ownAccount().name)) return true;
  const groups = names('groups');
  return groups.length > 0 && ownGroups().some((group) => groups.includes(group));
}

/** The groups of this process, which it keeps for life. */
let own: readonly string[] | null = null;

function ownGroups(): readonly string[] {
  own ??= (spawnSync('id', ['-nG'], { encoding: 'utf8', timeout: CONFIG_LIMIT }).stdout ?? '').trim().split(' ');
  return own;
}

/** What a session can do; directories of this machine that its profile binds are not put back, so no `revert-full-system`. */
export function schrootCapabilities(root: boolean, login: string | undefined): Capability[] {
  return root && (login ?? 'root') === 'root' ? ['root-on-testbed', 'revert'] : ['revert'];
}

function ask(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const result = spawnSync('schroot', args, { encoding: 'utf8', timeout: CONFIG_LIMIT, env: ownEnvironment() });
  if ((result.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    throw new BackendError('program-missing', 'this machine has no schroot', { remedy: installCommand('schroot') });
  return result;
}
