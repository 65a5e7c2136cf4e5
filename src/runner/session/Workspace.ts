import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../events/index.ts';
import { type Testbed, TestbedError } from '../../testbed/index.ts';
import type { TestDefinition } from '../control/testControl.ts';
import { INSTALLED_QUERY, type InstalledPackages, parseInstalled } from '../dependencies/installedPackages.ts';
import { BadPackageError, StepError } from '../errors.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { SourceTree } from '../source.ts';
import { whyNotCopied } from '../sources/unreadable.ts';
import type { Timeouts } from '../timeouts.ts';
import type { TestbedFacts } from './facts.ts';
import { type LeftByTest, LOOK_AFTER, leftByTest } from './leftByTest.ts';
import { createNormalUser, provideSudo } from './normalUser.ts';
import { REMOVAL } from './removal.ts';
import { ScratchKeeper, type Unkept } from './ScratchKeeper.ts';
import { type Step, Steps } from './Steps.ts';
import type { SetUpOptions } from './setUp.ts';
import type { PlacedTree } from './TestbedSession.ts';
import { TreeAhead } from './TreeAhead.ts';
import type { TestPaths } from './testScript.ts';

/** What a workspace needs besides its testbed. */
export interface WorkspaceOptions {
  /** Ordinary user asked for with --user. */
  readonly user: string | null;
  /** A tree that may go there as soon as there is room: nothing is to be done to the testbed before. Null: none. */
  readonly ahead: PlacedTree | null;
  /** Its commands may make that user. */
  readonly setup: SetUpOptions;
  /** Milliseconds by kind. */
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly signal: AbortSignal;
  /** seq of the latest event that tells of a command's end: evidence for a cause. */
  readonly evidence: () => readonly number[];
}

/** The runner's place in one testbed: the scratch directory with the tree, and short commands around the tests. */
export class Workspace {
  /** Commands in the testbed. */
  readonly steps: Steps;
  readonly #testbed: Testbed;
  readonly #options: WorkspaceOptions;
  #keeper: ScratchKeeper;
  /** Where the tree is, below the scratch directory. */
  place = 'tree';
  #user: string | null;
  readonly #ahead: TreeAhead | null;

  private constructor(
    testbed: Testbed,
    options: WorkspaceOptions,
    logins: Logins,
    keeper: ScratchKeeper,
    ahead: TreeAhead | null,
  ) {
    this.#testbed = testbed;
    this.#options = options;
    this.#keeper = keeper;
    this.#user = logins.user;
    this.#ahead = ahead;
    this.steps = new Steps({ testbed, admin: logins.admin, ...options });
  }

  /**
   * Makes the scratch directory.
   * @param again its path, where a testbed that was reverted shall have the same
   * @throws StepError, TestbedError
   */
  static async open(testbed: Testbed, options: WorkspaceOptions, again: string | null = null): Promise<Workspace> {
    const logins = chooseLogins(testbed, options.user);
    const ahead = options.ahead === null || again !== null ? null : new TreeAhead(options.ahead);
    const send = (scratch: string) =>
      ahead?.send((placed, signal) => {
        const stoppable = { ...options, signal: AbortSignal.any([options.signal, signal]) };
        return bring(new Steps({ testbed, admin: logins.admin, ...stoppable }), placed, scratch);
      });
    let workspace: Workspace;
    try {
      const keeper = await keep(testbed, options, logins.admin, again, null, send);
      workspace = new Workspace(testbed, options, logins, keeper, ahead);
    } catch (error) {
      await ahead?.giveUp();
      throw error;
    }
    try {
      await workspace.#seeToUser();
    } catch (error) {
      // Nobody else knows of it yet.
      await workspace.close();
      throw error;
    }
    return workspace;
  }

  /** Without an ordinary user, tests would run as root. A testbed that is shared, or stays, gets none. */
  async #seeToUser(): Promise<void> {
    if (this.user !== null || this.admin !== 'root') return;
    if (!this.#testbed.capabilities.includes('revert-full-system')) return;
    this.#user = await createNormalUser(this.steps);
    if (this.#user === null) this.#options.log.warning('the testbed has no ordinary user, and no useradd to make one');
  }

  get facts(): TestbedFacts {
    return this.#keeper.facts;
  }

  /** Login for everything but the tests. */
  get admin(): string {
    return this.steps.admin;
  }

  /** The ordinary user for tests without needs-root, and for AUTOPKGTEST_NORMAL_USER; null where there is none. */
  get user(): string | null {
    return this.#user;
  }

  /** Who builds: the ordinary user where there is one. */
  get owner(): string {
    return this.user ?? this.admin;
  }

  /** The scratch directory in the testbed. */
  get scratch(): string {
    return this.#keeper.directory;
  }

  paths(test: string): TestPaths {
    return {
      tree: `${this.scratch}/${this.place}`,
      temporary: `${this.scratch}/autopkgtest_tmp`,
      artifacts: `${this.scratch}/${test}-artifacts`,
    };
  }

  /** Who a test runs as. */
  login(test: TestDefinition): string {
    return test.restrictions.includes('needs-root') ? this.admin : (this.user ?? this.admin);
  }

  /** @throws BadPackageError where the package has no such test program */
  mustHave(tree: SourceTree, test: TestDefinition): void {
    if (test.program.kind !== 'file') return;
    const { path: program } = test.program;
    // A link that leads to itself is none either, nor is a name that is too long.
    if (!existsSync(path.join(tree.directory, program))) {
      throw new BadPackageError(`${program} does not exist`, test.file, test.line);
    }
  }

  /** Whether {@link lookAfter} takes no session. */
  get sweeps(): boolean {
    return this.#keeper.sweeps;
  }

  /**
   * Makes the test's own directories and its executable bit.
   * @returns false where nothing was done, since the tree is gone
   */
  async prepare(id: string, test: TestDefinition): Promise<boolean> {
    const paths = this.paths(id);
    const file = test.program.kind === 'file' ? `${paths.tree}/${test.program.path}` : '';
    // A program takes some milliseconds: two at once, rm(1) only where an earlier test has left something, chmod(1) where
    // whoever runs the test cannot, or where somebody else does.
    const script = `set -e
${REMOVAL}
if [ ! -d "$6" ]; then echo gone; exit; fi
for d in "$1" "$2"; do [ ! -e "$d" ] && [ ! -L "$d" ] || clear_away "$d"; done
mkdir -m 755 "$1" & made=$!
mkdir -m 1777 "$2"
wait "$made"
if [ -n "$4" ]; then chown "$4" "$1" "$2"; fi
if [ -n "$3" ] && { [ -n "$4" ] || [ ! -x "$3" ]; }; then chmod a+x "$3"; fi
if [ -n "$5" ]; then chown -R "$4" "$5"; fi`;
    const owner = this.login(test) === this.admin ? '' : this.login(test);
    const writable = owner !== '' && test.restrictions.includes('rw-build-tree') ? paths.tree : '';
    const words = [paths.temporary, paths.artifacts, file, owner, writable, paths.tree];
    const { stdout } = await this.#must({ doing: `preparing test ${id}`, phase: 'exec', script, words });
    return stdout === '';
  }

  /**
   * Ends what a test left running, wherever that has gone, and looks for artifacts.
   * @param tidy removes what {@link prepare} made where there are none
   * @param script to be run before, as by a `Messenger`
   */
  async lookAfter(
    { artifacts, temporary }: TestPaths,
    tidy: boolean,
    script: string | null = null,
  ): Promise<LeftByTest> {
    const doing = 'looking for what the test left';
    const words = [artifacts, tidy ? temporary : '', script ?? ''];
    const { stdout } = await this.#must({ doing, phase: 'exec', script: LOOK_AFTER, words });
    return leftByTest(stdout);
  }

  /** Copies a directory of the testbed to the host. @returns what stays behind: devices and sockets, and what cannot be read */
  async fetch(from: string, to: string): Promise<Record<'special' | 'unreadable', string[]>> {
    const leftOut = { special: [] as string[], unreadable: [] as string[] };
    await this.steps.copy('up', `${from}/`, `${to}/`, { onLeftOut: (entry, why) => leftOut[why].push(entry) });
    return leftOut;
  }

  /** Removes what {@link prepare} made. */
  async tidy(paths: TestPaths): Promise<void> {
    const words = [paths.temporary, paths.artifacts];
    const script = `${REMOVAL}\nclear_away "$1" && clear_away "$2"`;
    await this.#must({ doing: 'tidying up after a test', phase: 'exec', script, words });
  }

  /** What is installed; null where the testbed has no dpkg. */
  async installed(): Promise<InstalledPackages | null> {
    if (!this.facts.dpkg) return null;
    const { stdout } = await this.#must({
      doing: 'asking dpkg what is installed',
      phase: 'exec',
      script: 'exec dpkg-query "$@"',
      words: INSTALLED_QUERY,
    });
    return parseInstalled(stdout);
  }

  /** Sees that the user asked for is there, once all has been done that may make it. @throws StepError */
  async mustHaveUser(): Promise<void> {
    const { user, setup, evidence } = this.#options;
    if (user === null || setup.commands.length === 0) return;
    const doing = `looking for user ${user}`;
    const { status } = await this.steps.ask({ doing, phase: 'plan', script: 'id -u "$1" >/dev/null', words: [user] });
    if (status !== 0) throw unknownUser(this.#testbed, user, evidence());
  }

  /** Sees to the restriction needs-sudo. Null, or why it cannot be had. @throws StepError, TestbedError */
  maySudo(): Promise<string | null> {
    const { capabilities } = this.#testbed;
    return provideSudo({
      steps: this.steps,
      user: this.user,
      root: capabilities.includes('root-on-testbed'),
      revertible: capabilities.includes('revert-full-system'),
      onSetUp: (user) => this.#options.log.info(`Setting up user "${user}" to sudo without password...`),
    });
  }

  /**
   * Lets the testbed go away for a while and come back.
   * @param saved where the scratch directory was copied to
   * @throws StepError, TestbedError
   */
  async outlast(saved: string, absence: () => Promise<void>): Promise<void> {
    const { scratch, admin } = this;
    await this.#keeper.letGo();
    await absence();
    this.#keeper = await keep(this.#testbed, this.#options, admin, scratch, saved);
  }

  /** Leaves the scratch directory where it is; false where nobody can tell that it still is. */
  async letGo(): Promise<boolean> {
    await this.#ahead?.giveUp();
    return await this.#keeper.letGo();
  }

  /** Removes the scratch directory, also after the run was told to stop; false where nobody can tell. */
  async close(): Promise<boolean> {
    await this.#ahead?.giveUp();
    return await this.#keeper.close();
  }

  /** A step of the administrator's that may be done twice: without a session of its own where that does. */
  async #must(step: Step): Promise<{ stdout: string }> {
    const { timeouts, signal } = this.#options;
    const { helper } = this.#keeper;
    if (helper === null) return await this.steps.must(step);
    const limit = timeouts[step.limit ?? 'short'];
    const answer = await helper.ask(step.script, step.words ?? [], limit, signal);
    switch (answer.kind) {
      case 'done':
        return answer;
      case 'late':
        throw this.steps.tooLate(step.doing, step.phase, limit);
      case 'lost': {
        const { cause } = answer;
        throw new TestbedError(this.#testbed.id, cause, `${cause.doing}: ${cause.detail ?? cause.class}`);
      }
      case 'unsure':
        return await this.steps.must(step);
    }
  }

  /** Copies a tree of the host into the testbed and makes it readable. */
  async putTree(placed: PlacedTree | null): Promise<void> {
    if (placed === null) return;
    this.place = placed.place;
    const target = this.paths('').tree;
    if ((await this.#ahead?.brings(placed)) !== true) {
      const above = path.posix.dirname(target);
      if (above !== this.scratch) {
        const doing = 'making room for the tree';
        await this.#must({ doing, phase: 'copy', script: 'mkdir -p "$1"', words: [above] });
      }
      await bring(this.steps, placed, this.scratch);
    }
    if (this.owner === this.admin) return;
    const script = '[ "$(id -u)" != 0 ] || chown -R "$2" "$1"';
    const words = [target, this.owner];
    await this.#must({ doing: 'making the tree ready', phase: 'copy', script, words, limit: 'copy' });
  }
}

/** Copies a tree to its place in the scratch directory. @throws StepError, TestbedError, BadPackageError */
async function bring(steps: Steps, { tree, place }: PlacedTree, scratch: string): Promise<void> {
  try {
    await steps.copy('down', `${tree.directory}/`, `${scratch}/${place}/`, { readable: true });
  } catch (error) {
    throw whyNotCopied(tree, error);
  }
}

/** A scratch directory with its keeper. @throws StepError, TestbedError */
async function keep(
  testbed: Testbed,
  options: WorkspaceOptions,
  admin: string,
  directory: string | null,
  saved: string | null,
  onScratch?: (scratch: string) => void,
): Promise<ScratchKeeper> {
  const { timeouts, clock, signal, setup } = options;
  const keeper = await ScratchKeeper.open(testbed, {
    login: admin,
    user: setup.commands.length > 0 ? null : options.user,
    mode: admin === 'root' ? '755' : '700',
    directory,
    saved,
    timeout: saved === null ? timeouts.short : timeouts.copy,
    clock,
    signal,
    onScratch,
  });
  if (keeper instanceof ScratchKeeper) return keeper;
  throw unkept(testbed, keeper, options, new Steps({ testbed, admin, ...options }));
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

function unknownUser(testbed: Testbed, user: string, evidence: readonly number[]): StepError {
  const { normalUser } = testbed.endpoint;
  const own = normalUser === undefined ? '' : `; its own ordinary user is ${normalUser}`;
  return wrongUser(user, `testbed ${testbed.id} has no user ${user}${own}`, evidence);
}

/** Why there is no scratch directory. */
function unkept(
  testbed: Testbed,
  keeper: Unkept,
  { user, timeouts, evidence, signal }: WorkspaceOptions,
  steps: Steps,
): StepError {
  const doing = 'making a scratch directory';
  const { said, noSuchUser } = keeper;
  const { result, cause } = keeper.end;
  if (cause !== null) return new StepError(doing, cause);
  if (noSuchUser && user !== null) return unknownUser(testbed, user, evidence());
  if (result.kind === 'cancelled' && !signal.aborted) return steps.tooLate(doing, 'provision', timeouts.short);
  const how = result.kind === 'exited' ? `exit status ${result.status}` : result.kind;
  return steps.failed(doing, 'provision', said === '' ? how : `${how}: ${said}`);
}
