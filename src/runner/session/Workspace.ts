import { statSync } from 'node:fs';
import path from 'node:path';
import type { Cause, Clock, Phase } from '../../events/index.ts';
import { type ExecResult, type Testbed, TestbedError } from '../../testbed/index.ts';
import type { TestDefinition } from '../control/testControl.ts';
import { INSTALLED_QUERY, type InstalledPackages, parseInstalled } from '../dependencies/installedPackages.ts';
import { BadPackageError, StepError } from '../errors.ts';
import type { SourceTree } from '../source.ts';
import type { TestbedFacts } from './facts.ts';
import { limited } from './limit.ts';
import { ScratchKeeper, type Unkept } from './ScratchKeeper.ts';
import type { TestPaths } from './testScript.ts';

/** What a workspace needs besides its testbed. */
export interface WorkspaceOptions {
  readonly tree: SourceTree;
  /** Ordinary user asked for with --user. */
  readonly user: string | null;
  /** Milliseconds for a short command, and for a copy. */
  readonly timeouts: { readonly short: number; readonly copy: number };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** seq of the latest event that tells of a command's end: evidence for a cause. */
  readonly evidence: () => readonly number[];
}

/** The runner's place in one testbed: the scratch directory with the tree, and short commands around the tests. */
export class Workspace {
  /** Login for everything but the tests. */
  readonly admin: string;
  /** The ordinary user for tests without needs-root, and for AUTOPKGTEST_NORMAL_USER; null where there is none. */
  readonly user: string | null;
  readonly #testbed: Testbed;
  readonly #options: WorkspaceOptions;
  readonly #keeper: ScratchKeeper;

  private constructor(testbed: Testbed, options: WorkspaceOptions, logins: Logins, keeper: ScratchKeeper) {
    this.#testbed = testbed;
    this.#options = options;
    this.#keeper = keeper;
    this.admin = logins.admin;
    this.user = logins.user;
  }

  /**
   * Makes the scratch directory and copies the tree into it.
   * @throws StepError, TestbedError
   */
  static async open(testbed: Testbed, options: WorkspaceOptions): Promise<Workspace> {
    const logins = chooseLogins(testbed, options.user);
    const mode = logins.admin === 'root' ? '755' : '700';
    const { timeouts, clock, signal } = options;
    const keeper = await ScratchKeeper.open(testbed, {
      login: logins.admin,
      user: options.user,
      mode,
      timeout: timeouts.short,
      clock,
      signal,
    });
    if (!(keeper instanceof ScratchKeeper)) throw unkept(testbed, keeper, options);
    const workspace = new Workspace(testbed, options, logins, keeper);
    try {
      await workspace.#copyTree();
    } catch (error) {
      // Nobody else knows of it yet.
      await workspace.close();
      throw error;
    }
    return workspace;
  }

  get facts(): TestbedFacts {
    return this.#keeper.facts;
  }

  /** The scratch directory in the testbed. */
  get scratch(): string {
    return this.#keeper.directory;
  }

  paths(test: string): TestPaths {
    return {
      tree: `${this.scratch}/tree`,
      temporary: `${this.scratch}/autopkgtest_tmp`,
      artifacts: `${this.scratch}/${test}-artifacts`,
    };
  }

  /** Who a test runs as. */
  login(test: TestDefinition): string {
    return test.restrictions.includes('needs-root') ? this.admin : (this.user ?? this.admin);
  }

  /** @throws BadPackageError where the package has no such test program */
  mustHave(test: TestDefinition): void {
    if (test.program.kind !== 'file') return;
    const { path: program } = test.program;
    if (!statSync(path.join(this.#options.tree.directory, program), { throwIfNoEntry: false })) {
      throw new BadPackageError(`${program} does not exist`, 'debian/tests/control', test.line);
    }
  }

  /** Makes the test's own directories and its executable bit. */
  async prepare(id: string, test: TestDefinition): Promise<TestPaths> {
    const paths = this.paths(id);
    const file = test.program.kind === 'file' ? `${paths.tree}/${test.program.path}` : '';
    const script = `set -e
rm -rf "$1" "$2"
mkdir -m 755 "$1"
mkdir -m 1777 "$2"
if [ -n "$4" ]; then chown "$4" "$1" "$2"; fi
if [ -n "$3" ]; then chmod a+x "$3"; fi`;
    const owner = this.login(test) === this.admin ? '' : this.login(test);
    await this.#checked(`preparing test ${id}`, 'exec', script, [paths.temporary, paths.artifacts, file, owner]);
    return paths;
  }

  /** Whether a directory of the testbed holds anything. */
  async holdsAnything(directory: string): Promise<boolean> {
    const { stdout } = await this.#checked('looking for artifacts', 'copy', 'ls -A "$1" | head -n 1', [directory]);
    return stdout !== '';
  }

  /** Copies a directory of the testbed to the host. */
  async fetch(from: string, to: string): Promise<void> {
    await this.#copy('up', `${from}/`, `${to}/`);
  }

  /** Removes what {@link prepare} made. */
  async tidy(paths: TestPaths): Promise<void> {
    await this.#checked('tidying up after a test', 'exec', 'rm -rf "$1" "$2"', [paths.temporary, paths.artifacts]);
  }

  /** What is installed; null where the testbed has no dpkg. */
  async installed(): Promise<InstalledPackages | null> {
    if (!this.facts.dpkg) return null;
    const { stdout } = await this.#checked(
      'asking dpkg what is installed',
      'exec',
      'exec dpkg-query "$@"',
      INSTALLED_QUERY,
    );
    return parseInstalled(stdout);
  }

  /** Whether a login may become root without a password (restriction needs-sudo). */
  async maySudo(login: string): Promise<boolean> {
    const options = { login, timeout: this.#options.timeouts.short, signal: this.#options.signal };
    const { status } = await this.#testbed.exec('sudo -n true', options);
    return status === 0;
  }

  /** Removes the scratch directory, also after the run was told to stop; false where nobody can tell. */
  close(): Promise<boolean> {
    return this.#keeper.close();
  }

  async #copyTree(): Promise<void> {
    const { tree } = this.#options;
    const target = this.paths('').tree;
    await this.#copy('down', `${tree.directory}/`, `${target}/`);
    const patched =
      tree.kind === 'unbuilt-tree' &&
      statSync(path.join(tree.directory, 'debian/patches/series'), { throwIfNoEntry: false });
    const script = `set -e
cd "$1"
if [ -n "$3" ]; then dpkg-source --before-build . >/dev/null; fi
chmod -R a+rX .
if [ "$(id -u)" = 0 ]; then chown -R "$2" .; fi`;
    const arguments_ = [target, this.user ?? 'root', patched && this.facts.dpkgSource ? 'patch' : ''];
    await this.#checked('making the tree ready', 'copy', script, arguments_);
  }

  async #copy(direction: 'down' | 'up', from: string, to: string): Promise<void> {
    const { clock, timeouts, signal, evidence } = this.#options;
    const limit = limited(clock, timeouts.copy, signal);
    const options = { login: this.admin, signal: limit.signal };
    try {
      await (direction === 'down'
        ? this.#testbed.copyDown(from, to, options)
        : this.#testbed.copyUp(from, to, options));
    } catch (error) {
      if (!limit.expired || signal.aborted) throw withProof(error, evidence());
      throw tooLate(
        `copying ${from} ${direction === 'down' ? 'into' : 'from'} the testbed`,
        'copy',
        timeouts.copy,
        evidence(),
      );
    } finally {
      limit.done();
    }
  }

  #checked(doing: string, phase: Phase, script: string, words: readonly string[]): Promise<ExecResult> {
    return checked(this.#testbed, this.#options, this.admin, doing, phase, script, words);
  }
}

interface Logins {
  readonly admin: string;
  readonly user: string | null;
}

function chooseLogins(testbed: Testbed, asked: string | null): Logins {
  const root = testbed.capabilities.includes('root-on-testbed');
  const admin = root ? 'root' : testbed.endpoint.login;
  if (asked !== null && asked !== admin && !root) {
    throw wrongUser(asked, `cannot change to user ${asked} without root-on-testbed`, []);
  }
  return { admin, user: asked ?? (root ? (testbed.endpoint.normalUser ?? null) : null) };
}

function wrongUser(asked: string, detail: string, evidence: readonly number[]): StepError {
  const doing = `choosing user ${asked} for the tests`;
  return new StepError(doing, { class: 'wrong-usage', phase: 'plan', doing, detail, evidence: [...evidence] });
}

async function checked(
  testbed: Testbed,
  options: WorkspaceOptions,
  login: string,
  doing: string,
  phase: Phase,
  script: string,
  words: readonly string[],
): Promise<ExecResult> {
  const { timeouts, signal } = options;
  const argv = ['sh', '-c', script, 'sh', ...words];
  const result = await testbed.exec(argv, { login, timeout: timeouts.short, signal }).catch((error: unknown) => {
    if (!(error instanceof TestbedError) || error.result?.kind !== 'timed-out') throw error;
    throw tooLate(doing, phase, timeouts.short, options.evidence());
  });
  if (result.status === 0) return result;
  const how = result.status === null ? `signal ${result.signal}` : `exit status ${result.status}`;
  const said = result.stderr.trim();
  throw failed(doing, phase, said === '' ? how : `${how}: ${said}`, options.evidence());
}

function failed(doing: string, phase: Phase, detail: string, evidence: readonly number[]): StepError {
  const full = /No space left on device|Disk quota exceeded/.test(detail);
  const cause: Cause = {
    class: full ? 'testbed-disk-full' : phase === 'copy' ? 'copy-failed' : 'provision-failed',
    phase,
    doing,
    detail,
    evidence: [...evidence],
  };
  return new StepError(doing, cause);
}

function tooLate(doing: string, phase: Phase, limit: number, evidence: readonly number[]): StepError {
  const detail = `it took more than ${limit / 1000} s`;
  return new StepError(doing, { class: 'deadline-expired', phase, doing, detail, evidence: [...evidence] });
}

/** A failed copy is proven by the event that tells of its end, where nothing before it proves more. */
function withProof(error: unknown, evidence: readonly number[]): unknown {
  if (!(error instanceof TestbedError) || error.cause.evidence.length > 0) return error;
  return new StepError(error.cause.doing, { ...error.cause, evidence: [...evidence] });
}

/** Why there is no scratch directory. */
function unkept(testbed: Testbed, keeper: Unkept, { user, timeouts, evidence, signal }: WorkspaceOptions): StepError {
  const doing = 'making a scratch directory';
  const { said, noSuchUser } = keeper;
  const { result, cause } = keeper.end;
  if (cause !== null) return new StepError(doing, cause);
  if (noSuchUser && user !== null) {
    const { normalUser } = testbed.endpoint;
    const own = normalUser === undefined ? '' : `; its own ordinary user is ${normalUser}`;
    return wrongUser(user, `testbed ${testbed.id} has no user ${user}${own}`, evidence());
  }
  if (result.kind === 'cancelled' && !signal.aborted) return tooLate(doing, 'provision', timeouts.short, evidence());
  const how = result.kind === 'exited' ? `exit status ${result.status}` : result.kind;
  return failed(doing, 'provision', said === '' ? how : `${how}: ${said}`, evidence());
}
