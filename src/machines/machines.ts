import { backendMachine } from './backend/machine.ts';
import { BACKEND_ALPHABET } from './backend/setup.ts';
import { commandMachine } from './command/machine.ts';
import { COMMAND_ALPHABET } from './command/setup.ts';
import { connectionMachine } from './connection/machine.ts';
import { CONNECTION_ALPHABET } from './connection/setup.ts';
import { rebootMachine } from './reboot/machine.ts';
import { REBOOT_ALPHABET } from './reboot/setup.ts';
import { runMachine } from './run/machine.ts';
import { RUN_ALPHABET } from './run/setup.ts';
import { testbedMachine } from './testbed/machine.ts';
import { TESTBED_ALPHABET } from './testbed/setup.ts';

/** Every machine with its alphabet: the event types that reach it. Facts flow through them in this order. */
export const MACHINES = {
  command: kind(commandMachine, COMMAND_ALPHABET),
  connection: kind(connectionMachine, CONNECTION_ALPHABET),
  backend: kind(backendMachine, BACKEND_ALPHABET),
  reboot: kind(rebootMachine, REBOOT_ALPHABET),
  testbed: kind(testbedMachine, TESTBED_ALPHABET),
  run: kind(runMachine, RUN_ALPHABET),
} as const;

/** What kinds of machines there are. */
export type MachineKind = keyof typeof MACHINES;

/** A machine is made when it is first asked for: its hundreds of transitions take milliseconds, before a run begins. */
function kind<M, A>(make: () => M, alphabet: A): { readonly machine: M; readonly alphabet: A } {
  let made: M | undefined;
  return {
    get machine() {
      made ??= make();
      return made;
    },
    alphabet,
  };
}

/** Makes what a testbed needs once it is up: for whoever has nothing else to do while it comes up. */
export function makeReadyForCommands(): void {
  for (const { machine } of [MACHINES.connection, MACHINES.command]) void machine;
}
