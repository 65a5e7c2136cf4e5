import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../../e2e/support/cli.ts';

/** How the program ended. */
interface End {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the program in a world that `prefix` makes, and tells how that ended.
 * @param words the verb and all that follows it
 * @param env what is set besides this process's environment
 */
export async function runIn(
  prefix: readonly string[],
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<End> {
  const [program = '', ...args] = [...prefix, process.execPath, join(root, 'dist/bin.cjs'), ...words];
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...said };
}

/** The prefix of a command that finds a directory of this machine on a disk of one mebibyte. Takes root. */
export function withSmall(directory: string): string[] {
  const script = 'mount -t tmpfs -o size=1m none "$1" && chmod 1777 "$1" && shift && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', directory];
}
