export { createMachines, type Machines, type Reaction } from './createMachines.ts';
export { IGNORES } from './ignores.ts';
export { MACHINES, type MachineKind, makeReadyForCommands } from './machines.ts';
export { RECORDED_ONLY } from './recordedOnly.ts';
export { REFUSALS } from './refusals.ts';
export { statePath } from './statePath.ts';
