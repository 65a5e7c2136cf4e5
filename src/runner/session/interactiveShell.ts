import type { ShellOptions, Testbed } from '../../testbed/index.ts';
import { divider, type RunLog } from '../output/RunLog.ts';

/** A person's terminal, lent to a shell in the testbed. */
export interface InteractiveTerminal {
  /** Makes the terminal ready, as in raw mode. */
  acquire(): Pick<ShellOptions, 'stdin' | 'stdout' | 'size' | 'resizes$' | 'term'>;
  /** Puts it back as it was. Called whatever happened. */
  release(): void;
}

/** Where the shell starts, and as whom. */
export interface ShellPlace {
  readonly login: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Gives a person a shell in the testbed; without a terminal there is none, and the log says so. */
export async function interactiveShell(
  testbed: Testbed,
  terminal: InteractiveTerminal | null,
  log: RunLog,
  place: ShellPlace,
  signal: AbortSignal,
): Promise<void> {
  if (terminal === null) {
    log.warning(
      'no shell: standard input is not a terminal. Run it again from a terminal, or without --shell and --shell-fail.',
    );
    return;
  }
  log.info(divider('running shell'));
  try {
    const end = await testbed.shell({ ...terminal.acquire(), ...place, signal });
    if (end.cause !== null) log.warning(`the shell ended: ${end.cause.detail ?? end.cause.class}`);
  } finally {
    terminal.release();
  }
}
