/**
 * Trundle as a library: open a testbed, run things in it over SSH, roll it away; test Debian packages; read, replay
 * and explain traces; write backends.
 * @module
 */
/** A backend needs these two: to describe its options, and to tell what it observes. */
export { Subject } from 'rxjs';
export { z } from 'zod';
export {
  type Availability,
  type Backend,
  BackendError,
  type BackendHost,
  BackendLoadError,
  BackendOptionError,
  type BackendVerbs,
  type ConfiguredBackend,
  configureBackend,
  defineBackend,
  type KeptPlace,
  type Location,
  type Observation,
  type ObservationType,
} from './backends/index.ts';
export { type Forward, generateKeyPair, type KeyPair, type Messenger } from './driver/index.ts';
export {
  type Capability,
  type Cause,
  type CauseClass,
  type Clock,
  type Command,
  type CommandResult,
  type Credentials,
  DEADLINES,
  type Deadline,
  type DeadlineTable,
  type Decision,
  type Endpoint,
  type EventData,
  type EventDraft,
  type EventType,
  exitCodeOf,
  type ReachableEndpoint,
  type TrundleEvent,
  VERSION,
} from './events/index.ts';
export { type InspectSystemOptions, inspectSystem, type SystemInspector } from './inspector/index.ts';
export {
  type PackageOutcome,
  type PackageResult,
  type RunReport,
  type RunResults,
  type RunTestsOptions,
  runTests,
  type TestOutcome,
  type TestResult,
  UsageError,
} from './runner/index.ts';
export {
  type ClosedTestbed,
  type CommandEnd,
  type CopyOptions,
  createRun,
  type ExecOptions,
  type ExecResult,
  type KeptResult,
  type KeptTestbed,
  type OpenOptions,
  type OpenTestbedOptions,
  openTestbed,
  type Run,
  type RunEnd,
  type RunningCommand,
  type RunOptions,
  type ShellOptions,
  type Testbed,
  TestbedError,
} from './testbed/index.ts';
export { type Comparison, compare as compareTraces, readTrace, TraceError } from './trace/index.ts';
