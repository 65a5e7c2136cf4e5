import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';

const HELP = `
Runs that still go are left alone. What cannot be removed is named, with the
command that would remove it.

Exit status: 0 where nothing is left, 1 where something is, 20 where a run is
not known.

Examples:
  trundle reap
  trundle reap 3f9c2a71b0 out`;

/** `trundle reap [RUN|TRACE...]`. @returns the exit code */
export async function reap(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand(
      'reap',
      '[options] [RUN|TRACE...]',
      'Finishes the teardown of runs that were killed, from their traces: of all runs of this user, or of the given ones.',
    )
      .argument('[run...]')
      .option('-d, --debug', 'log what is done on stderr')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const { debug = false, json = false } = command.opts<{ debug?: boolean; json?: boolean }>();
  const { reapRuns } = await import('../actions/reap.ts');
  return await reapRuns(command.args, { debug, json }, io);
}
