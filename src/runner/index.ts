export { UsageError } from './errors.ts';
export type { RunResults, TestResult } from './results/Results.ts';
export { type RunReport, type RunTestsOptions, runTests, type TestOutcome } from './runTests.ts';
export type { InteractiveTerminal } from './session/interactiveShell.ts';
