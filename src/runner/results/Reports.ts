import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Run } from '../../testbed/index.ts';
import type { OutputDirectory, Sink } from '../output/OutputDirectory.ts';
import type { RunLog } from '../output/RunLog.ts';
import { type Terminal, writeTo } from '../output/terminal.ts';
import type { RunReport } from '../runTests.ts';
import { annotations } from './annotations.ts';
import { junitXml } from './junit.ts';
import { partOfResults } from './partOfResults.ts';
import { Results, type RunResults } from './Results.ts';

/** Which reports of a run are wanted besides autopkgtest's files. */
export interface ReportsOptions {
  readonly packages: readonly {
    /** What it is called among several; null where it is the only one. */
    readonly name: string | null;
    /** As given: a directory in the checkout is what annotations point to. */
    readonly source: string;
    readonly output: OutputDirectory | null;
  }[];
  /** Where results.json goes; null for nowhere. */
  readonly results: Sink | null;
  /** Where the JUnit report goes; null for nowhere. */
  readonly junit: Sink | null;
  /** Whether what did not pass is told as annotations of GitHub Actions. */
  readonly annotations: boolean;
  readonly terminal: Terminal;
  readonly log: RunLog;
  readonly now: () => Date;
  /** Takes secrets out of what is written. */
  readonly hide: (results: RunResults) => RunResults;
}

/** Exit code of a run whose results could not be written: a full disk, as wherever else the host has no room. */
const NOT_WRITTEN = 20;

/** Follows a run and reports it in the forms that other programs read. */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #results: Results;
  /** Which nothing that runs in a testbed can know. */
  readonly #token = randomUUID();

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#results = new Results(options.now());
  }

  /** Before anything of a test's is printed: none of it may be taken for a command of GitHub Actions. */
  begin(): Promise<void> {
    return this.#command(`::stop-commands::${this.#token}\n`);
  }

  #command(text: string): Promise<void> {
    const { annotations: wanted, terminal } = this.#options;
    return wanted ? writeTo(terminal.stdout, text) : Promise.resolve();
  }

  follow(run: Run): void {
    run.events$.subscribe((event) => this.#results.see(event));
  }

  /** Writes them. What cannot be written is told, and fails the run. */
  async write(report: RunReport): Promise<RunReport> {
    const { results, junit, log, hide, packages } = this.#options;
    const { exitCode, cause, trace, kept } = report;
    const versions = packages.map(({ name, source, output }) => ({ name, source, version: versionOf(output) }));
    const whole = hide(this.#results.conclude({ exitCode, cause, trace, kept, packages: versions }));
    const parts = whole.packages?.map((each) => ({ name: each.package, results: partOfResults(whole, each) }));
    try {
      results?.write(`${JSON.stringify(whole, null, 2)}\n`);
      junit?.write(junitXml(parts ?? [{ name: null, results: whole }], hostname()));
      for (const [index, part] of parts?.entries() ?? [])
        if (whole.packages?.[index]?.exitCode !== null)
          packages[index]?.output?.write('results.json', `${JSON.stringify(part.results, null, 2)}\n`);
    } catch (error) {
      log.error(`the results cannot be written: ${(error as Error).message}`);
      return { ...report, exitCode: NOT_WRITTEN };
    } finally {
      results?.close();
      junit?.close();
    }
    // What a test wrote last may be the beginning of a line, in which nobody would look for a command.
    await this.#command(`\n::${this.#token}::\n`);
    for (const [index, { source }] of packages.entries()) {
      const part = parts?.[index] ?? { name: null, results: whole };
      await this.#command(annotations(part.results, inCheckout(source), part.name));
    }
    return report;
  }
}

/** As the runner told it. */
function versionOf(output: OutputDirectory | null): RunResults['package'] {
  const file = output?.file('testpkg-version');
  if (file === undefined || !existsSync(file)) return null;
  const [name, version] = readFileSync(file, 'utf8').trim().split(' ');
  return name === undefined || version === undefined ? null : { name, version };
}

/** A source tree below the current directory, as a path from there. */
function inCheckout(source: string): string | null {
  // Never throws: a source may also be a file, or the name of a package.
  if (!existsSync(path.join(source, 'debian'))) return null;
  const relative = path.relative(process.cwd(), path.resolve(source));
  return relative.startsWith('..') || path.isAbsolute(relative) ? null : relative || '.';
}
