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
  command: { machine: commandMachine, alphabet: COMMAND_ALPHABET },
  connection: { machine: connectionMachine, alphabet: CONNECTION_ALPHABET },
  backend: { machine: backendMachine, alphabet: BACKEND_ALPHABET },
  reboot: { machine: rebootMachine, alphabet: REBOOT_ALPHABET },
  testbed: { machine: testbedMachine, alphabet: TESTBED_ALPHABET },
  run: { machine: runMachine, alphabet: RUN_ALPHABET },
} as const;

/** What kinds of machines there are. */
export type MachineKind = keyof typeof MACHINES;
