import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';

const HELP = `
NAME is a backend that comes with Trundle, the NAME of an npm package
trundle-backend-NAME, or a path with a slash.

Exit status: 0; with NAME 1 where this machine cannot run it; 20 where there is
no such backend.

Examples:
  trundle backends
  trundle backends ssh`;

/** `trundle backends [NAME]`. @returns the exit code */
export async function backends(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand(
      'backends',
      '[options] [NAME]',
      'Lists the kinds of testbed and what this machine lacks for each, or tells of one and its options.',
    )
      .argument('[name]')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const { json = false } = command.opts<{ json?: boolean }>();
  const { tellBackends } = await import('../actions/backends.ts');
  return await tellBackends(command.args[0], json, io);
}
