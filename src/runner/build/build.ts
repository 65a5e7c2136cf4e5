import { parseAlternatives } from '../control/relations.ts';
import { BadPackageError, StepError } from '../errors.ts';
import type { RunLog } from '../output/RunLog.ts';
import { endAllWith, leftByTest } from '../session/leftByTest.ts';
import type { TestbedSession } from '../session/TestbedSession.ts';
import { PLACE, ROOM, rulesFailure } from '../sources/unpack.ts';

/** How a package is built. */
export interface BuildOptions {
  /** Variables for the build (--env). */
  readonly env: Readonly<Record<string, string>>;
  /** N of DEB_BUILD_OPTIONS=parallel=N; the number of processors if null. */
  readonly parallel: number | null;
  /** Command to gain root, for `dpkg-buildpackage -r`; null for its own choice, fakeroot. */
  readonly gainRoot: string | null;
}

/** What is not built, and not needed to build: a package's own checks, and what only the installer needs. */
const PROFILES = 'nocheck noudeb';
const OPTIONS = 'nocheck noautodbgsym noddebs';

/** Variable of a build, by which what it starts is known; the shell that holds the scratch directory looks for it too. */
const MARK = 'TRUNDLE_BUILD';

/**
 * Builds the unpacked source in the testbed, as the ordinary user where there is one.
 * @throws BadPackageError where the package is to blame, StepError, TestbedError
 */
export async function build(session: TestbedSession, options: BuildOptions & { log: RunLog }): Promise<void> {
  const { steps, scratch, facts, owner } = session.workspace;
  if (session.foreign !== null) throw notForForeign(session.foreign, steps.failed.bind(steps));
  session.soil();
  const tree = `${scratch}/${PLACE}`;
  await installBuildDepends(session, tree, options);
  const parallel = options.parallel?.toString() ?? facts.processors;
  const script = `exec >&2
cd "$1" || exit
DEB_BUILD_OPTIONS="$2\${DEB_BUILD_OPTIONS:+ $DEB_BUILD_OPTIONS}"
DEB_BUILD_PROFILES="$3\${DEB_BUILD_PROFILES:+ $DEB_BUILD_PROFILES}"
export DEB_BUILD_OPTIONS DEB_BUILD_PROFILES
shift 3
dpkg-buildpackage -us -uc -b "$@" && exec dpkg-source --before-build .`;
  const doing = 'building the package';
  const shown = await steps.show({
    doing,
    phase: 'provision',
    script,
    words: [
      tree,
      parallel === null ? OPTIONS : `parallel=${parallel} ${OPTIONS}`,
      PROFILES,
      ...(options.gainRoot === null ? [] : [`-r${options.gainRoot}`]),
    ],
    login: owner,
    limit: 'build',
    env: { ...options.env, [MARK]: tree },
  });
  await endWhatItLeft(session, tree, options.log);
  if (shown.status === 0) return;
  const [full] = /^.*(?:No space left on device|Disk quota exceeded).*$/m.exec(shown.stderr) ?? [];
  if (full !== undefined && (await hasNoRoom(session))) throw steps.failed(doing, 'provision', full.trim());
  throw rulesFailure(steps.failed.bind(steps), 'build', doing, shown);
}

/** A daemon of the build's, as one of a compiler, would outlive it in a testbed that stays, and be there for the tests. */
async function endWhatItLeft({ workspace: { steps } }: TestbedSession, tree: string, log: RunLog): Promise<void> {
  const doing = 'looking for what the build left';
  const { stdout } = await steps.ask({ doing, phase: 'provision', script: endAllWith(MARK), words: [tree] });
  const { processes } = leftByTest(stdout);
  if (processes.length > 0) log.warning('the build left processes behind; they were ended');
  for (const process of processes) log.info(`the build: ended ${process}`);
}

/** Whether the testbed is really full: a build may say so of anything. */
async function hasNoRoom(session: TestbedSession): Promise<boolean> {
  const { steps, scratch, owner } = session.workspace;
  const script = 'head -c 1048576 /dev/zero >"$1/room"; status=$?; rm -f -- "$1/room"; exit "$status"';
  const words = [`${scratch}/${ROOM}`];
  const doing = 'looking for room in the testbed';
  const { status } = await steps.ask({ doing, phase: 'provision', script, words, login: owner });
  return status !== 0;
}

/** Names of the debs that a build left, all in the directory above the tree. @throws StepError, TestbedError */
export async function builtDebs(session: TestbedSession): Promise<string[]> {
  const { steps, scratch } = session.workspace;
  const room = `${scratch}/${ROOM}`;
  const script = 'cd "$1" && for deb in *.deb; do if [ -e "$deb" ]; then echo "$deb"; fi; done';
  const { stdout } = await steps.must({ doing: 'looking for built debs', phase: 'copy', script, words: [room] });
  return stdout
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => `${room}/${name}`);
}

async function installBuildDepends(session: TestbedSession, tree: string, options: BuildOptions): Promise<void> {
  const { steps, owner } = session.workspace;
  const { apt } = session;
  const env = {
    ...options.env,
    DEB_BUILD_PROFILES: [options.env.DEB_BUILD_PROFILES, PROFILES].filter(Boolean).join(' '),
  };
  const check = await steps.ask({
    doing: 'checking build dependencies',
    phase: 'provision',
    script: 'cd "$1" || exit; command -v dpkg-buildpackage >/dev/null && exec dpkg-checkbuilddeps',
    words: [tree],
    env,
  });
  if (check.status !== 0) {
    if (apt === null) throw notInstallable(check.stderr, steps.failed.bind(steps));
    const end = await apt.insist('installing build dependencies', ['build-dep', tree], env);
    session.forgetInstalled();
    if (end.kind === 'refused') {
      throw new BadPackageError(
        `Can't resolve build dependencies on testbed${end.said === '' ? '' : ` (${end.said})`}`,
      );
    }
  }
  if (options.gainRoot !== null || owner === 'root') return;
  if (apt === null) return;
  const fakeroot = await session.install([parseAlternatives('fakeroot')]);
  if (fakeroot.kind === 'badpkg') throw steps.failed('installing fakeroot', 'provision', fakeroot.message);
}

/** Packages are built for the testbed's architecture: the tests would be about others. */
function notForForeign(foreign: string, failed: TestbedSession['workspace']['steps']['failed']): StepError {
  const doing = 'building the package';
  const detail = `nothing is built for another architecture than the testbed's: for ${foreign}, give .deb files, or -B`;
  const { cause } = failed(doing, 'provision', detail);
  return new StepError(doing, { ...cause, class: 'wrong-usage' });
}

/** Nobody may install anything: whoever chose the testbed has to. */
function notInstallable(stderr: string, failed: TestbedSession['workspace']['steps']['failed']): StepError {
  const doing = 'installing build dependencies';
  const lacking = /Unmet build dependencies: (.*)/.exec(stderr)?.[1] ?? 'dpkg-dev, and what debian/control asks for';
  const detail = `the testbed lacks ${lacking}, and the runner cannot install it there: it is not root, or there is no apt`;
  const { cause } = failed(doing, 'provision', detail);
  return new StepError(doing, { ...cause, class: 'wrong-usage' });
}
