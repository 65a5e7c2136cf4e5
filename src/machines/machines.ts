import { BACKEND_ALPHABET, backendMachine } from './backend.ts';
import { COMMAND_ALPHABET, commandMachine } from './command.ts';
import { CONNECTION_ALPHABET, connectionMachine } from './connection.ts';
import { REBOOT_ALPHABET, rebootMachine } from './reboot.ts';
import { RUN_ALPHABET, runMachine } from './run.ts';
import { TESTBED_ALPHABET, testbedMachine } from './testbed.ts';

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
