import type { Command } from 'commander';
import type { DeadlineTable } from '../events/index.ts';
import { countValue, deadlineValue } from './values.ts';

/** Options of every verb that opens a testbed. */
export interface SessionFlags {
  readonly trace?: string;
  readonly deadline?: DeadlineTable;
  readonly maxConnections?: number;
  readonly debug?: boolean;
  readonly json?: boolean;
  /** Names of variables whose values are secret. */
  readonly secretEnv?: readonly string[];
}

/** Adds them to a verb. `json` tells what the verb prints with `--json`. */
export function addSessionOptions(command: Command, json: string): Command {
  return command
    .optionsGroup('Testbed and trace:')
    .option('--trace <dir>', 'keep the trace in this directory, which must not hold one yet')
    .option(
      '--deadline <name=ms>',
      'allow so many milliseconds for a step, as in boot=300000; may be given again',
      deadlineValue,
    )
    .option('--max-connections <n>', 'use at most so many SSH connections to the testbed (default: 8)', countValue)
    .option('-d, --debug', 'log all that happens on stderr')
    .option('--json', json);
}

/** What of a verb's flags concerns its session. Pure. */
export function sessionOf({ trace, deadline, maxConnections, debug, json, secretEnv }: SessionFlags): SessionFlags {
  return {
    ...(trace === undefined ? {} : { trace }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(debug === undefined ? {} : { debug }),
    ...(json === undefined ? {} : { json }),
    ...(secretEnv === undefined ? {} : { secretEnv }),
  };
}
