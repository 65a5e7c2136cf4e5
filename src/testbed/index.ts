export {
  type BackendListing,
  type ConfiguredBackend,
  configureBackend,
  listBackends,
  loadBackend,
} from '../backends/index.ts';
export type { Messenger } from '../driver/index.ts';
export { createMachines } from '../machines/index.ts';
export { hiding } from '../trace/index.ts';
export type {
  ClosedTestbed,
  CommandEnd,
  CopyOptions,
  ExecOptions,
  ExecResult,
  KeptTestbed,
  OpenOptions,
  RunningCommand,
  ShellOptions,
  Testbed,
} from './contract.ts';
export { TestbedError } from './contract.ts';
export { createRun } from './createRun.ts';
export {
  abortSignal,
  above0,
  callback,
  flag,
  fromOne,
  hidden,
  isObject,
  type Kinds,
  kind,
  mustBe,
  mustHave,
  object,
  oneOf,
  orNull,
  path,
  text,
  texts,
  wholeNumber,
  writable,
} from './given.ts';
export { checkBackend, checkOpen } from './givenOptions.ts';
export { type KeepWhen, type KeptResult, keptResult, lineOfNotKept, linesOfKept, refusalOfKeep } from './keeping.ts';
export { type OpenTestbedOptions, openTestbed } from './openTestbed.ts';
export type { Run, RunEnd, RunOptions } from './runContract.ts';
