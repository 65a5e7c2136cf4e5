export { BadPackageError, UsageError } from './errors.ts';
export type { Terminal } from './output/terminal.ts';
export { type RunReport, type RunTestsOptions, runTests, type TestOutcome } from './runTests.ts';
export type { InteractiveTerminal } from './session/interactiveShell.ts';
export type { Timeouts } from './timeouts.ts';
