import type { Capability, Clock } from '../../events/index.ts';
import type { Testbed } from '../../testbed/index.ts';
import type { Alternatives } from '../control/relations.ts';
import type { TestDefinition } from '../control/testControl.ts';
import { Apt } from '../dependencies/Apt.ts';
import { AptInstaller } from '../dependencies/AptInstaller.ts';
import { AptSetup } from '../dependencies/AptSetup.ts';
import { type AptSetupOptions, asksForApt } from '../dependencies/aptSetupOptions.ts';
import type { DependencyInstaller, Preparation } from '../dependencies/DependencyInstaller.ts';
import { InstalledChecker } from '../dependencies/InstalledChecker.ts';
import { type InstalledPackages, packageList, parseInstalled } from '../dependencies/installedPackages.ts';
import { LocalRepository } from '../dependencies/LocalRepository.ts';
import { StepError } from '../errors.ts';
import type { OutputDirectory } from '../output/OutputDirectory.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { SourceTree } from '../source.ts';
import type { Timeouts } from '../timeouts.ts';
import type { ShellPlace } from './interactiveShell.ts';
import { Reboots } from './Reboots.ts';
import { type SetUpContext, type SetUpOptions, setUp, setUpBoot } from './setUp.ts';
import type { TestPaths } from './testScript.ts';
import { Workspace } from './Workspace.ts';

/** A kernel that a test met, other than the one at the start: test, mark of the last reboot, `uname -srv`. */
export type OtherKernel = readonly [test: string, mark: string, kernel: string];

/** What a session needs. */
export interface SessionOptions {
  readonly testbed: Testbed;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly output: OutputDirectory | null;
  readonly signal: AbortSignal;
  /** Ordinary user asked for with --user. */
  readonly user: string | null;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  readonly evidence: () => readonly number[];
  readonly setup: SetUpOptions;
  /** Called before a run ends because what should be done to the testbed first could not be done. */
  readonly onSetUpFailure: (place: ShellPlace) => Promise<void>;
  /** Called where another kernel runs than at the start. */
  readonly onOtherKernel: (other: OtherKernel) => void;
  /** Whether it tells what kind of testbed this is; one is enough of several alike. */
  readonly announce: boolean;
  /** The debs under test. */
  readonly repository: LocalRepository;
  /** What apt is to be given. */
  readonly aptSetup: AptSetupOptions;
  /** A tree that will be placed, for which nobody need wait until the session is open; null where there is none. */
  readonly ahead: PlacedTree | null;
}

/** A tree of the host and where in the testbed it is to be. */
export interface PlacedTree {
  readonly tree: SourceTree;
  /** Relative to the scratch directory. */
  readonly place: string;
}

/**
 * The runner in one testbed, over all its reverts: the workspace, what is installed, and how more is. After a revert
 * all is set up anew as it was, at the same paths.
 */
export class TestbedSession {
  readonly #options: SessionOptions;
  readonly #aptSetup: AptSetup;
  #workspace: Workspace;
  /** What is installed; undefined while nobody has asked since it changed. */
  #installed: InstalledPackages | null | undefined;
  #base: InstalledPackages | null = null;
  /** The kernel at the start. */
  readonly #kernel: string | null;
  #placed: PlacedTree | null = null;
  #dirty = false;
  /** Whether the testbed's apt knows of the debs under test. */
  #published = false;

  private constructor(options: SessionOptions, workspace: Workspace) {
    this.#options = options;
    this.#aptSetup = new AptSetup(options.aptSetup);
    this.#workspace = workspace;
    this.#kernel = workspace.facts.kernel;
  }

  /** Makes the workspace and learns what the testbed is. @throws StepError, TestbedError */
  static async open(options: SessionOptions): Promise<TestbedSession> {
    const session = new TestbedSession(options, await Workspace.open(options.testbed, options));
    try {
      await session.#begin();
    } catch (error) {
      // Nobody else knows of it yet.
      await session.workspace.close();
      throw error;
    }
    return session;
  }

  get capabilities(): readonly Capability[] {
    return this.#options.testbed.capabilities;
  }

  get workspace(): Workspace {
    return this.#workspace;
  }

  /** The tree in it; null where there is none yet. */
  get placed(): PlacedTree | null {
    return this.#placed;
  }

  /** What was installed at the start; null where there is no output directory, or no dpkg. */
  get base(): InstalledPackages | null {
    return this.#base;
  }

  /** Whether something was done to the testbed that the next test must not see. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** What was done to the testbed is to be undone before the next test. */
  soil(): void {
    this.#dirty = true;
    this.#installed = undefined;
  }

  /** Looks at the kernel after a boot: a test may have installed another. @param mark of the test's last reboot */
  noteKernel(test: string, mark: string): void {
    const { kernel } = this.#workspace.facts;
    if (kernel === null || kernel === this.#kernel) return;
    const { log, onOtherKernel } = this.#options;
    const reboot = mark === '' ? '' : `, last reboot marker: ${mark}`;
    log.info(`testbed running kernel changed: ${kernel} (current test: ${test}${reboot})`);
    onOtherKernel([test, mark, kernel]);
  }

  /** What is installed; null where the testbed has no dpkg. */
  async installed(): Promise<InstalledPackages | null> {
    if (this.#installed === undefined) this.#installed = await this.#workspace.installed();
    return this.#installed;
  }

  /** Forgets what was installed: whatever runs next may change it. */
  forgetInstalled(): void {
    this.#installed = undefined;
  }

  /** Architecture of the packages under test; null where nobody knows the testbed's. */
  get testArchitecture(): string | null {
    const { architecture } = this.#workspace.facts;
    return architecture === null ? null : (this.#options.aptSetup.architecture ?? architecture);
  }

  /** The same where it is not the testbed's own; null where it is. */
  get foreign(): string | null {
    const { testArchitecture } = this;
    return testArchitecture === this.#workspace.facts.architecture ? null : testArchitecture;
  }

  /** DEB_HOST_* and DEB_BUILD_* where the packages under test are of another architecture. @throws StepError */
  async crossVariables(): Promise<Readonly<Record<string, string>>> {
    const { foreign } = this;
    const { steps, facts } = this.#workspace;
    if (foreign === null || facts.architecture === null) return {};
    const own = { DEB_BUILD_ARCH: facts.architecture, DEB_HOST_ARCH: foreign };
    // Without dpkg-dev in the testbed nobody needs the rest.
    const script = 'if command -v dpkg-architecture >/dev/null; then exec dpkg-architecture -f -a "$1" 2>/dev/null; fi';
    const doing = 'asking about the test architecture';
    const { stdout } = await steps.must({ doing, phase: 'exec', script, words: [foreign] });
    const lines = stdout.split('\n').filter((line) => /^DEB_(HOST|BUILD)_/.test(line));
    const told = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
    return { ...own, ...Object.fromEntries(told) };
  }

  /** apt in the testbed; null where nothing can be installed there. */
  get apt(): Apt | null {
    const { facts, steps } = this.#workspace;
    if (!facts.installs || facts.architecture === null) return null;
    return new Apt({ steps, eatmydata: facts.eatmydata, lockTimeout: this.#options.timeouts.copy });
  }

  /** The debs under test. */
  get repository(): LocalRepository {
    return this.#options.repository;
  }

  /** What makes the testbed hold what a test depends on. */
  get installer(): DependencyInstaller {
    return this.#aptInstaller() ?? new InstalledChecker(() => this.installed(), this.#workspace.facts.architecture);
  }

  /** Installs what the runner itself needs in the testbed. @throws Error where {@link apt} is null */
  async install(depends: readonly Alternatives[]): Promise<Preparation> {
    const installer = this.#aptInstaller();
    if (installer === null) throw new Error('nothing can be installed in this testbed');
    return await installer.install(depends, []);
  }

  /** Makes the debs under test known to the testbed's apt. @throws StepError, TestbedError, BadPackageError */
  async publish(): Promise<void> {
    const { repository, log } = this.#options;
    if (repository.empty) return;
    const { apt } = this;
    const { steps, scratch } = this.#workspace;
    if (apt === null) {
      log.warning('the packages under test cannot be installed: the runner is not root in the testbed, or has no apt');
      return;
    }
    this.#published = true;
    const installed = () => this.installed();
    await repository.publish({ steps, scratch, apt, installed, onChange: () => this.forgetInstalled() });
  }

  #aptInstaller(): AptInstaller | null {
    const { architecture } = this.#workspace.facts;
    const { apt } = this;
    if (apt === null || architecture === null) return null;
    return new AptInstaller({
      apt,
      log: this.#options.log,
      pins: this.#aptSetup,
      architecture,
      query: async () => (await this.installed()) ?? parseInstalled(''),
      onChange: () => this.forgetInstalled(),
    });
  }

  /** Copies a tree into the testbed, now and after each revert. */
  async place(placed: PlacedTree): Promise<void> {
    this.#placed = placed;
    await this.#workspace.putTree(placed);
  }

  /**
   * Makes ready what is a test's own. A test before it may have removed the tree, or moved it away: then it is copied once
   * more, as autopkgtest does.
   */
  async prepare(id: string, test: TestDefinition): Promise<TestPaths> {
    const workspace = this.#workspace;
    if (!(await workspace.prepare(id, test))) {
      await workspace.putTree(this.#placed);
      if (!(await workspace.prepare(id, test))) {
        throw workspace.steps.failed(`preparing test ${id}`, 'exec', 'the tree is gone as soon as it is copied');
      }
    }
    return workspace.paths(id);
  }

  /** Takes a tree that is in the testbed already, and copies it there again after each revert. */
  adopt(placed: PlacedTree): void {
    this.#placed = placed;
    this.#workspace.place = placed.place;
  }

  /** Puts the testbed back to where it was, and sets it up anew. @throws StepError, TestbedError */
  async revert(): Promise<void> {
    const { testbed, signal } = this.#options;
    const { scratch } = this.#workspace;
    await this.#workspace.close();
    await testbed.revert({ signal });
    this.#installed = undefined;
    this.#dirty = false;
    this.#published = false;
    this.#workspace = await Workspace.open(testbed, this.#options, scratch);
    await this.#setUp();
    await this.reboots?.offer();
    await this.#setUpBoot();
    await this.#workspace.putTree(this.#placed);
  }

  /** Reboots for tests; null where the testbed cannot. */
  get reboots(): Reboots | null {
    return this.#reboots(() => this.#setUpBoot());
  }

  #reboots(afterBoot: () => Promise<void>): Reboots | null {
    const { testbed, signal } = this.#options;
    if (!testbed.capabilities.includes('reboot') || !testbed.capabilities.includes('root-on-testbed')) return null;
    return new Reboots({ testbed, workspace: this.#workspace, signal, afterBoot });
  }

  /** Takes out of a testbed that cannot be reverted what must not stay in it. @throws StepError, TestbedError */
  async restore(): Promise<void> {
    const { testbed, log } = this.#options;
    const { apt } = this;
    if (!this.#published || apt === null || testbed.capabilities.includes('revert')) return;
    log.info('Binaries: resetting testbed apt configuration');
    await LocalRepository.withdraw(this.#workspace.steps, apt);
  }

  /** Leaves the scratch directory where it is; false where nobody can tell that it still is. */
  letGo(): Promise<boolean> {
    return this.#workspace.letGo();
  }

  /** Removes the scratch directory; false where nobody can tell that it is gone. */
  close(): Promise<boolean> {
    return this.#workspace.close();
  }

  async #begin(): Promise<void> {
    const { log, output, announce } = this.#options;
    await this.#setUp();
    const { facts } = this.#workspace;
    if (announce) {
      log.info(
        facts.architecture === null ? 'testbed has no dpkg' : `testbed dpkg architecture: ${facts.architecture}`,
      );
      if (this.foreign !== null) log.info(`testbed test architecture: ${this.foreign}`);
      if (facts.kernel !== null) log.info(`testbed running kernel: ${facts.kernel}`);
    }
    if (output && facts.dpkg) {
      this.#base = await this.installed();
      if (this.#base && announce) output.write('testbed-packages', packageList(this.#base));
    }
    await this.reboots?.offer();
    await this.#setUpBoot();
  }

  /** Does to a new testbed what the operator asked for. */
  async #setUp(): Promise<void> {
    const { log, setup } = this.#options;
    // What comes after every boot comes anyway, once.
    const reboots = setup.commands.length === 0 ? null : this.#reboots(async () => {});
    const before = await reboots?.bootState();
    await this.#settingUp((context) => setUp(context, setup));
    await this.#workspace.mustHaveUser();
    if (reboots !== null && (await reboots.bootState()) !== before) {
      log.info('rebooting testbed after setup commands that affected boot');
      await reboots.reboot();
    }
  }

  async #setUpBoot(): Promise<void> {
    await this.#settingUp((context) => setUpBoot(context, this.#options.setup));
  }

  #aptToSetUp(): SetUpContext['apt'] {
    const { log, aptSetup } = this.#options;
    const { apt, foreign } = this;
    if (!asksForApt(aptSetup) && foreign === null) return null;
    const { steps } = this.#workspace;
    if (apt === null) {
      const doing = 'setting up apt';
      const detail = 'the runner is not root in the testbed, or there is no apt: leave out the options for apt';
      throw new StepError(doing, { ...steps.failed(doing, 'provision', detail).cause, class: 'wrong-usage' });
    }
    const context = { apt, steps, log, foreign };
    return {
      prepare: () => this.#aptSetup.prepare(context),
      upgrade: async () => {
        await this.#aptSetup.upgrade(context);
        this.forgetInstalled();
      },
    };
  }

  async #settingUp(step: (context: SetUpContext) => Promise<void>): Promise<void> {
    const { log, signal, onSetUpFailure } = this.#options;
    const { steps, user, admin } = this.#workspace;
    try {
      await step({ steps, log, user, apt: this.#aptToSetUp() });
    } catch (error) {
      if (!signal.aborted) await onSetUpFailure({ login: admin, cwd: '/', env: {} });
      throw error;
    }
  }
}
