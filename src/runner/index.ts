export { ppaSecrets } from './dependencies/ppa/ppa.ts';
export { UsageError } from './errors.ts';
export type { PackageResult, RunResults, TestResult } from './results/Results.ts';
export { type PackageOutcome, type RunReport, type RunTestsOptions, runTests, type TestOutcome } from './runTests.ts';
export type { InteractiveTerminal } from './session/interactiveShell.ts';
