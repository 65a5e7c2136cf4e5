export { createMachines, type Machines, type Reaction } from './createMachines.ts';
export { IGNORES, type Ignore } from './ignores.ts';
export { MACHINES, type MachineKind } from './machines.ts';
export { RECORDED_ONLY } from './recordedOnly.ts';
export { REFUSALS } from './refusals.ts';
export { exitCodeOfOutcomes, judge, type Outcome, type PlannedTest, signalNumber, type Verdict } from './run/judge.ts';
export { statePath } from './statePath.ts';
