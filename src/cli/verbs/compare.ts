import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';
import { UsageError } from '../UsageError.ts';

const HELP = `
GOOD and BAD are each the directory of a trace, an output directory that holds
one, or the id of a run; --last stands for BAD.

Exit status: 0 where both went the same way, 1 where they parted, 20 where one
cannot be read.

Examples:
  trundle compare out-yesterday out-today
  trundle compare 3f9a1b --last`;

/** `trundle compare GOOD BAD`. @returns the exit code */
export async function compare(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand(
      'compare',
      '[options] GOOD [BAD]',
      'Puts two runs side by side by the states of their machines: names where they parted first, then what differs in verdicts, timing, surroundings, packages and console.',
    )
      .argument('[good]')
      .argument('[bad]')
      .option('--last', 'the bad one is the last run of this user on this machine')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const { last = false, json = false } = command.opts<{ last?: boolean; json?: boolean }>();
  const [good, bad] = command.args;
  if (good === undefined) throw new UsageError('which traces? Give the good one, and the bad one after it.');
  if (bad === undefined && !last)
    throw new UsageError(`which trace is to be compared with ${good}? Give it, or --last.`);
  const { compareTraces } = await import('../actions/compare.ts');
  return await compareTraces(good, bad, { last, json }, io);
}
