import type { PackageResult, RunResults } from './Results.ts';

/**
 * What became of one of several packages, as if the run had been about it alone. One whose turn did not come ended as
 * the run did. Pure.
 */
export function partOfResults(whole: RunResults, of: PackageResult): RunResults {
  const { packages: _packages, tests, ...rest } = whole;
  return {
    ...rest,
    sources: [of.source],
    package: of.name === null || of.version === null ? null : { name: of.name, version: of.version },
    seconds: of.seconds,
    exitCode: of.exitCode ?? whole.exitCode,
    cause: of.exitCode === null ? whole.cause : of.cause,
    retries: of.retries,
    tests: tests
      .filter((test) => test.package === of.package)
      .map(({ package: _package, ...test }) => ({ ...test, test: test.test.slice(of.package.length + 1) })),
  };
}
