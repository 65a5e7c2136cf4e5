import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseAlternatives } from '../control/relations.ts';
import { BadPackageError, type StepError, UsageError } from '../errors.ts';
import type { Step } from '../session/Steps.ts';
import type { TestbedSession } from '../session/TestbedSession.ts';
import { chooseVersion } from './aptSource.ts';
import { filesOf, textOf } from './classify.ts';
import type { AptSource, DscSource, GitSource, Source } from './Source.ts';
import { whyNotCopied } from './unreadable.ts';

/** Below the scratch directory: where sources are unpacked, and packages built. It is the ordinary user's. */
export const ROOM = 'build';
/** The tree in it. */
export const PLACE = `${ROOM}/src`;

/** Milliseconds after which a clone that failed is tried again. */
const SECOND_TRY = 15_000;

/** Unpacks a source in the testbed. @throws BadPackageError, StepError, TestbedError */
export async function unpack(
  session: TestbedSession,
  source: Source,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { steps, scratch, owner } = session.workspace;
  await steps.must({
    doing: 'making room for the source',
    phase: 'copy',
    script: 'mkdir -m 755 "$1" && { [ "$(id -u)" != 0 ] || chown "$2" "$1"; }',
    words: [`${scratch}/${ROOM}`, owner],
  });
  const unpacker = new Unpacker(session, env);
  switch (source.kind) {
    case 'source':
      await unpacker.dsc(source);
      break;
    case 'apt-source':
      await unpacker.apt(source);
      break;
    case 'git-source':
      await unpacker.git(source);
      break;
    default:
      await unpacker.tree(source.directory);
  }
  await steps.must({
    doing: 'making the tree readable',
    phase: 'copy',
    script: 'chmod -R a+rX "$1"',
    words: [`${scratch}/${PLACE}`],
    limit: 'copy',
  });
}

/** Whether a tree has patches that are applied to it before anything is done with it. */
export function isPatched(directory: string): boolean {
  return existsSync(path.join(directory, 'debian/patches/series'));
}

/** The files that a .dsc names, beside it. @throws UsageError for one that is not there */
export function dscFiles({ argument, dsc }: DscSource): string[] {
  const names = filesOf(textOf(dsc, argument), argument);
  if (names === null) throw new UsageError(`${argument} is invalid and does not contain Files:`);
  const files = names.map((name) => path.join(path.dirname(dsc), name));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined)
    throw new UsageError(`${argument} lists ${path.basename(missing)}, which is not beside it`);
  return [dsc, ...files];
}

/** Makes what a program is in be installed. @throws StepError where it cannot be */
export async function ensureProgram(session: TestbedSession, program: string, packages: string): Promise<void> {
  const { steps, facts } = session.workspace;
  const doing = `looking for ${program}`;
  const script = 'command -v "$1" >/dev/null';
  if ((await steps.ask({ doing, phase: 'provision', script, words: [program] })).status === 0) return;
  if (session.apt === null || facts.architecture === null) {
    const why = facts.architecture === null ? 'it has no dpkg' : 'the runner is not root there, or it has no apt';
    throw steps.failed(
      doing,
      'provision',
      `the testbed has no ${program} (${packages}) and it cannot be installed: ${why}`,
    );
  }
  session.soil();
  const wanted = packages.split(', ').map(parseAlternatives);
  const { kind, ...said } = await session.install(wanted);
  if (kind === 'badpkg')
    throw steps.failed(`installing ${packages}`, 'provision', 'message' in said ? (said.message ?? '') : '');
}

class Unpacker {
  readonly #session: TestbedSession;
  readonly #env: Readonly<Record<string, string>>;
  readonly #room: string;

  constructor(session: TestbedSession, env: Readonly<Record<string, string>>) {
    this.#session = session;
    this.#env = env;
    this.#room = `${session.workspace.scratch}/${ROOM}`;
  }

  async dsc(source: DscSource): Promise<void> {
    const { steps } = this.#session.workspace;
    await ensureProgram(this.#session, 'dpkg-source', 'dpkg-dev');
    for (const file of dscFiles(source)) await steps.copy('down', file, `${this.#room}/${path.basename(file)}`);
    await this.#extract('unpacking the source', 'exec dpkg-source -x "$2" src', [path.basename(source.dsc)]);
  }

  async apt({ argument, treeHere }: AptSource): Promise<void> {
    const { steps, facts } = this.#session.workspace;
    await ensureProgram(this.#session, 'dpkg-source', 'dpkg-dev');
    const version = await chooseVersion(steps, argument, facts.architecture ?? '').catch((error: unknown) => {
      if (!treeHere || !(error instanceof BadPackageError)) throw error;
      throw new BadPackageError(`${error.message}; the directory of that name is meant by ./${argument}`);
    });
    const fetch = 'exec apt-get source -d -q --only-source "$2"';
    await this.#extract('fetching the source', fetch, [`${argument}=${version}`]);
    await this.#extract('unpacking the source', 'exec dpkg-source -x "$2"_*.dsc src', [argument]);
  }

  async git({ url, branch }: GitSource): Promise<void> {
    const { steps } = this.#session.workspace;
    await ensureProgram(this.#session, 'git', 'git, ca-certificates');
    if (url.startsWith('https:')) await this.#trustCertificates();
    const clone = 'rm -rf src && exec git clone -- "$2" src';
    const first = await steps.show(this.#step('cloning the source', clone, [url]));
    if (first.status !== 0) {
      await steps.pause(SECOND_TRY);
      await this.#extract('cloning the source', clone, [url]);
    }
    if (branch === null) return;
    const checkOut = 'cd src && git fetch -fu origin "$2:testbranch" && exec git checkout testbranch';
    await this.#extract('checking out the branch', checkOut, [branch]);
  }

  /** An image with git need not have what git trusts servers by. Where that cannot be had, the clone tells what it lacks. */
  async #trustCertificates(): Promise<void> {
    if (this.#session.apt === null) return;
    if ((await this.#session.installed())?.byName.has('ca-certificates')) return;
    this.#session.soil();
    await this.#session.install([parseAlternatives('ca-certificates')]);
  }

  async tree(directory: string): Promise<void> {
    const { steps, owner } = this.#session.workspace;
    await steps
      .copy('down', `${directory}/`, `${this.#room}/src/`)
      .catch((error: unknown) => Promise.reject(whyNotCopied({ argument: directory, directory }, error)));
    const script = '[ "$(id -u)" != 0 ] || chown -R "$2" "$1"';
    const doing = 'giving the tree to the user';
    await steps.must({ doing, phase: 'copy', script, words: [`${this.#room}/src`, owner], limit: 'copy' });
    if (!isPatched(directory)) return;
    await ensureProgram(this.#session, 'dpkg-source', 'dpkg-dev');
    await this.#extract('applying the patches', 'exec dpkg-source --before-build src', []);
  }

  /** @throws BadPackageError where it fails, StepError where apt does */
  async #extract(doing: string, script: string, words: readonly string[]): Promise<void> {
    const { steps } = this.#session.workspace;
    const shown = await steps.show(this.#step(doing, script, words));
    if (shown.status === 0) return;
    throw rulesFailure(steps.failed.bind(steps), 'extract', doing, shown);
  }

  #step(doing: string, script: string, words: readonly string[]): Step {
    return {
      doing,
      phase: 'provision',
      // What programs print around the tests is not what people look for on stdout.
      script: `exec >&2; cd "$1" || exit; ${script}`,
      words: [this.#room, ...words],
      login: this.#session.workspace.owner,
      limit: 'build',
      env: this.#env,
    };
  }
}

/** What a failure of a package's own means: it is to blame, unless it was apt (exit status 100) that failed. Pure. */
export function rulesFailure(
  failed: (doing: string, phase: 'provision', detail: string) => StepError,
  which: 'extract' | 'build',
  doing: string,
  shown: { status: number | null; signal: string | null; stdout: string; stderr: string },
): Error {
  const how = shown.status === null ? `signal ${shown.signal}` : `exit code ${shown.status}`;
  const lines = `${shown.stdout}\n${shown.stderr}`.split('\n').map((line) => line.trim());
  const last = lines.findLast((line) => /error|fatal|^E: |failed/i.test(line)) ?? lines.findLast((line) => line !== '');
  const because = last === undefined ? '' : ` (${last.slice(0, 300)})`;
  if (shown.status === 100)
    return failed(doing, 'provision', `rules ${which} failed with ${how}: apt failure${because}`);
  return new BadPackageError(`rules ${which} failed with ${how}${because}`);
}
