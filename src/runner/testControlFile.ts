import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BadPackageError, StepError, UsageError } from './errors.ts';
import { readTreeFile, type SourceTree, sourceControl } from './source.ts';

/** Where the description of the tests comes from (autopkgtest(1), --override-control and --no-auto-control). */
export interface ControlChoice {
  /** The content and the name of a file that stands in for debian/tests/control; null for the package's own. */
  readonly override: { readonly text: string; readonly file: string } | null;
  /** Whether autodep8(1) may write one, where it is installed. */
  readonly auto: boolean;
  /** Milliseconds for autodep8. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** A file that describes tests. `file` names it in messages. */
export interface TestControlFile {
  readonly text: string;
  readonly file: string;
}

/** Reads the file given with --override-control, before there is a run. @throws UsageError */
export function readOverride(file: string): TestControlFile {
  try {
    return { text: readFileSync(file, 'utf8'), file };
  } catch (error) {
    throw new UsageError(`--override-control ${file} cannot be read: ${(error as Error).message}`);
  }
}

const OWN = 'debian/tests/control';

/**
 * Finds what describes a package's tests: the file given, or debian/tests/control, or what autodep8 makes for a
 * package that has none or asks for one with `Testsuite: autopkgtest-pkg-...`. Null where nothing does.
 * @throws BadPackageError, StepError
 */
export async function findTestControl(tree: SourceTree, choice: ControlChoice): Promise<TestControlFile | null> {
  if (choice.override !== null) return choice.override;
  const text = inUtf8(readTreeFile(tree, OWN), OWN);
  if (choice.auto && (text === null || asksForMore(tree))) {
    const generated = await autodep8(tree.directory, choice);
    if (generated !== null) return { text: generated, file: 'what autodep8 made' };
  }
  return text === null ? null : { text, file: OWN };
}

/** The text, which says itself that it was UTF-8. @throws BadPackageError */
function inUtf8(text: string | null, file: string): string | null {
  const line = text?.split('\n').findIndex((each) => each.includes('\uFFFD')) ?? -1;
  if (line !== -1) throw new BadPackageError('this line is not UTF-8', file, line + 1);
  return text;
}

function asksForMore(tree: SourceTree): boolean {
  return sourceControl(tree).testsuite.some((suite) => suite.includes('autopkgtest-pkg-'));
}

/** What autodep8 prints; null where it is not installed, or knows no tests for such a package. */
function autodep8(directory: string, { timeout, signal }: ControlChoice): Promise<string | null> {
  const doing = 'having autodep8 describe the tests';
  return new Promise((resolve, reject) => {
    const limits = { cwd: directory, timeout, signal, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const;
    execFile('autodep8', [], limits, (error, stdout) => {
      if (error === null) return resolve(stdout);
      if (signal.aborted) return reject(signal.reason);
      if (typeof error.code === 'number' || error.code === 'ENOENT') return resolve(null);
      if (String(error.code) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
        return reject(new BadPackageError('autodep8 describes more tests than anybody would run'));
      const detail = error.killed ? `it took more than ${timeout / 1000} s` : error.message;
      const cause = { phase: 'plan', doing, detail, evidence: [] } as const;
      reject(
        new StepError(doing, { ...cause, evidence: [], class: error.killed ? 'deadline-expired' : 'internal-error' }),
      );
    });
  });
}
