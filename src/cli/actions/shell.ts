import type { CommandEnd } from '../../testbed/index.ts';
import type { Io } from '../Io.ts';
import { endBlock } from '../live/endBlock.ts';
import { exitCodeOfCommand, isOwnEnd, wentWell } from '../live/endOfCommand.ts';
import { interactiveTerminal } from '../live/interactiveTerminal.ts';
import { inSession, type Session, type SessionEnd } from '../live/session.ts';
import type { ShellFlags } from '../verbs/shell.ts';
import { assignment, shellWords } from '../words.ts';

/** What becomes of the testbed when the shell ends. */
const FATES = {
  never: 'is removed when it ends',
  'on-failure': 'is removed when it ends with exit status 0',
  always: 'stays when it ends',
} as const;

/** Opens a testbed and lends this terminal to a shell, or a line, in it. @returns the exit code */
export async function openShell(
  line: string | undefined,
  flags: ShellFlags,
  where: readonly string[],
  io: Io,
): Promise<number> {
  const json = flags.json ?? false;
  const output = json ? io.stderr : io.stdout;
  const run = async ({ testbed, watch, signal, where: backend, secretEnv }: Session) => {
    const env = [...(flags.env ?? []), ...secretEnv];
    const terminal = interactiveTerminal(io, watch, output);
    if (terminal === null) throw new Error('the terminal has gone');
    if (line === undefined)
      watch.say(
        `this shell is in testbed ${testbed.id} (${shellWords(backend)}), which ${FATES[flags.keep ?? 'never']}`,
      );
    try {
      return await testbed.shell({
        ...terminal.acquire(),
        signal,
        ...(line === undefined ? {} : { line }),
        ...(flags.user === undefined ? {} : { login: flags.user }),
        ...(flags.cwd === undefined ? {} : { cwd: flags.cwd }),
        ...(env.length === 0 ? {} : { env: Object.fromEntries(env.map(assignment)) }),
      });
    } finally {
      terminal.release();
    }
  };
  return await inSession(io, where, flags, {
    run,
    failed: (end) => !wentWell(end),
    tell: (ended) => tellEnd(ended, json, io),
  });
}

async function tellEnd(
  { value, end, kept, home, watch }: SessionEnd<CommandEnd>,
  json: boolean,
  io: Io,
): Promise<number> {
  const exitCode = exitCodeOfCommand(value, end);
  const cause = end.cause ?? value?.cause ?? null;
  if (json) io.document({ run: home.run, trace: home.directory, exitCode, result: value?.result ?? null, cause, kept });
  if (!isOwnEnd(value, end)) {
    const ending = { exitCode, cause, home, settled: watch.settled };
    watch.screen.stderr.write(await endBlock(ending, watch.colors));
  }
  return exitCode;
}
