import type { SourceControl } from '../control/sourceControl.ts';
import { parseTestControl, type TestDefinition } from '../control/testControl.ts';
import { Apt } from '../dependencies/Apt.ts';
import { AptInstaller } from '../dependencies/AptInstaller.ts';
import type { DependencyInstaller, Preparation } from '../dependencies/DependencyInstaller.ts';
import { expandDepends, ownDependencies } from '../dependencies/expandDepends.ts';
import { InstalledChecker } from '../dependencies/InstalledChecker.ts';
import {
  addedPackages,
  type InstalledPackages,
  packageList,
  parseInstalled,
} from '../dependencies/installedPackages.ts';
import { type PlannedTest, planTests } from '../plan/planTests.ts';
import { type SourceTree, sourceControl } from '../source.ts';
import { type ControlChoice, findTestControl } from '../testControlFile.ts';
import type { Timeouts } from '../timeouts.ts';
import { type InteractiveTerminal, interactiveShell } from './interactiveShell.ts';
import { runTest, type TestRunContext } from './runTest.ts';
import { testEnvironment, testScript } from './testScript.ts';
import { judged, reportLine } from './verdict.ts';
import { Workspace } from './Workspace.ts';

/** What decides how a package's tests are run; see RunTestsOptions. */
export interface PackageOptions {
  readonly tree: SourceTree;
  readonly user: string | null;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  readonly env: readonly string[];
  readonly lang: string;
  readonly parallel: number | null;
  readonly only: readonly string[];
  readonly without: readonly string[];
  readonly ignoreRestrictions: readonly string[];
  readonly internet: boolean;
  /** Runs no test: tells what would be skipped, and that the description of the tests is valid (--validate). */
  readonly validate: boolean;
  readonly shell: 'never' | 'on-failure' | 'always';
  readonly interactive: InteractiveTerminal | null;
  readonly evidence: () => readonly number[];
}

/** The tests a package has. @throws BadPackageError, StepError */
export async function readTests(
  tree: SourceTree,
  choice: ControlChoice,
): Promise<{ definitions: TestDefinition[]; control: SourceControl }> {
  const found = await findTestControl(tree, choice);
  const definitions = found === null ? [] : parseTestControl(found.text, found.file);
  return { definitions, control: sourceControl(tree) };
}

/** Runs one package's tests in one open testbed, one after the other. */
export class PackageTests {
  readonly #context: TestRunContext;
  readonly #options: PackageOptions;
  readonly #control: SourceControl;
  #workspace: Workspace;
  /** What is installed; undefined while nobody has asked since the last test. */
  #installed: InstalledPackages | null | undefined;
  #base: InstalledPackages | null = null;

  private constructor(context: TestRunContext, options: PackageOptions, control: SourceControl, workspace: Workspace) {
    this.#context = context;
    this.#options = options;
    this.#control = control;
    this.#workspace = workspace;
  }

  /** Copies the tree into the testbed and learns what the testbed is. @throws StepError, TestbedError */
  static async open(context: TestRunContext, options: PackageOptions, control: SourceControl): Promise<PackageTests> {
    const { clock, log, signal } = context;
    const workspace = await Workspace.open(context.testbed, { ...options, clock, log, signal });
    const tests = new PackageTests(context, options, control, workspace);
    try {
      await tests.#begin();
    } catch (error) {
      // Nobody else knows of it yet.
      await workspace.close();
      throw error;
    }
    return tests;
  }

  async #begin(): Promise<void> {
    const { log, output } = this.#context;
    const { facts } = this.#workspace;
    log.info(facts.architecture === null ? 'testbed has no dpkg' : `testbed dpkg architecture: ${facts.architecture}`);
    if (facts.kernel !== null) log.info(`testbed running kernel: ${facts.kernel}`);
    if (output && facts.dpkg) {
      this.#base = await this.#query();
      if (this.#base) output.write('testbed-packages', packageList(this.#base));
    }
    await this.#workspace.putTree(this.#options.tree);
  }
  get workspace(): Workspace {
    return this.#workspace;
  }

  /** Plans, tells the plan, and runs. @throws BadPackageError, StepError, TestbedError */
  async run(definitions: readonly TestDefinition[]): Promise<void> {
    const { run, testbed, log, signal } = this.#context;
    const { tree, only, without, ignoreRestrictions, internet } = this.#options;
    const architecture = this.#workspace.facts.architecture;
    const built = tree.kind === 'built-tree';
    const plan = planTests(definitions, {
      capabilities: testbed.capabilities,
      ...{ architecture, built, internet, only, without, ignoreRestrictions },
    });
    for (const { id, definition } of plan) {
      const superficial = definition.restrictions.includes('superficial');
      run.emit({
        type: 'test.planned',
        testbed: null,
        from: 'runner',
        test: id,
        restrictions: [...definition.restrictions],
        superficial,
      });
    }
    for (const planned of plan) {
      if (planned.skip !== null) await this.#skip(planned, 'skip', planned.skip);
    }
    if (this.#options.validate) return log.report('*', 'Test specification is valid');
    if (plan.length === 0) log.report('*', 'SKIP no tests in this package');

    let first = true;
    for (const planned of plan.filter(({ skip }) => skip === null)) {
      signal.throwIfAborted();
      if (log.failure) throw log.failure;
      log.info(`test ${planned.definition.name}: preparing testbed`);
      if (!first && testbed.capabilities.includes('revert')) await this.#revert();
      first = false;
      if (await this.#ready(planned)) await this.#test(planned);
    }
    log.summarize();
  }

  /** Every test starts in a fresh testbed, where there is a way back. */
  async #revert(): Promise<void> {
    const { testbed, clock, log, signal } = this.#context;
    const { scratch } = this.#workspace;
    await this.#workspace.close();
    await testbed.revert({ signal });
    this.#installed = undefined;
    this.#workspace = await Workspace.open(testbed, { ...this.#options, clock, log, signal }, scratch);
    await this.#workspace.putTree(this.#options.tree);
  }

  /** Sees to what a test needs beyond its files; false where it was skipped for the lack of it. */
  async #ready(planned: PlannedTest): Promise<boolean> {
    const { log, output, signal } = this.#context;
    const { definition } = planned;
    const { architecture } = this.#workspace.facts;
    const known = architecture === null ? null : ([definition, this.#control, architecture] as const);
    const depends = known && expandDepends(...known);
    const own = known ? ownDependencies(...known) : [];
    const preparation = await this.#installer().prepare({ test: planned, depends, own }, signal);
    if (preparation.kind === 'badpkg') {
      await this.#refuse(planned, preparation);
      return false;
    }
    if (preparation.note !== undefined) log.warning(`test ${definition.name}: ${preparation.note}`);
    if (definition.restrictions.includes('needs-sudo') && !this.#options.ignoreRestrictions.includes('needs-sudo')) {
      const login = this.#workspace.login(definition);
      if (!(await this.#workspace.maySudo(login))) {
        await this.#skip(
          planned,
          'skip',
          `needs-sudo: user ${login} may not use sudo without a password in this testbed`,
        );
        return false;
      }
    }
    this.#workspace.mustHave(this.#options.tree, definition);
    if (output && this.#base) {
      const installed = await this.#query();
      if (installed) output.write(`${planned.id}-packages`, addedPackages(this.#base, installed));
    }
    return true;
  }

  #installer(): DependencyInstaller {
    const { facts, steps } = this.#workspace;
    if (!facts.installs || facts.architecture === null)
      return new InstalledChecker(() => this.#query(), facts.architecture);
    const { eatmydata, architecture } = facts;
    return new AptInstaller({
      apt: new Apt({ steps, eatmydata, lockTimeout: this.#options.timeouts.copy }),
      log: this.#context.log,
      pins: { fallback: true, giveUp: async () => null },
      architecture,
      query: async () => (await this.#query()) ?? parseInstalled(''),
      onChange: () => (this.#installed = undefined),
    });
  }

  async #refuse(planned: PlannedTest, preparation: Preparation & { kind: 'badpkg' }): Promise<void> {
    const { log } = this.#context;
    if (planned.definition.restrictions.includes('skip-not-installable')) {
      log.info(`test ${planned.definition.name}: ${preparation.message}`);
      return this.#skip(planned, 'skip', 'installation fails and skip-not-installable set');
    }
    if (this.#options.shell !== 'never') await this.#shell({ login: this.#workspace.admin, cwd: '/', env: {} });
    await this.#skip(planned, 'badpkg', preparation.message);
    log.finding(`blame: ${this.#options.tree.argument}`);
    log.finding(`badpkg: ${preparation.message}`);
  }

  async #test(planned: PlannedTest): Promise<void> {
    const { definition, id } = planned;
    const workspace = this.#workspace;
    const paths = await workspace.prepare(id, definition);
    const root = definition.restrictions.includes('needs-root');
    const env = testEnvironment({
      paths,
      facts: workspace.facts,
      lang: this.#options.lang,
      normalUser: root ? workspace.user : null,
      parallel: this.#options.parallel,
      extra: this.#options.env,
    });
    const login = workspace.login(definition);
    const argv = [workspace.facts.shell, '-c', testScript(definition.program, paths, env)];
    this.#installed = undefined;
    const verdict = await runTest(this.#context, planned, { argv, login, timeout: this.#options.timeouts.test });

    const { output } = this.#context;
    if (output && (await workspace.holdsAnything(paths.artifacts))) {
      await workspace.fetch(paths.artifacts, output.artifacts(id));
    }
    const failed = verdict.outcome === 'fail' || verdict.outcome === 'flaky';
    if (this.#options.shell === 'always' || (this.#options.shell === 'on-failure' && failed)) {
      await this.#shell({ login, cwd: paths.tree, env });
    }
    await workspace.tidy(paths);
  }

  async #skip(planned: PlannedTest, outcome: 'skip' | 'badpkg', reason: string): Promise<void> {
    const { run, clock, log } = this.#context;
    const tell = () =>
      run.emit({ type: 'test.skipped', testbed: null, from: 'runner', test: planned.id, outcome, reason });
    const verdict = await judged(run, clock, planned.id, tell);
    log.report(planned.definition.name, reportLine(verdict.outcome, verdict.reason, false));
  }

  #shell(place: Parameters<typeof interactiveShell>[3]): Promise<void> {
    const { testbed, log, signal } = this.#context;
    return interactiveShell(testbed, this.#options.interactive, log, place, signal);
  }

  async #query(): Promise<InstalledPackages | null> {
    if (this.#installed === undefined) this.#installed = await this.#workspace.installed();
    return this.#installed;
  }
}
