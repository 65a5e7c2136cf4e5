import { once } from 'node:events';
import type { Commands } from './Commands.ts';
import type { CommandEnd, ShellOptions } from './contract.ts';

/** Runs a shell, or a line, on a pty wired to the given streams, until it ends. */
export async function interact(commands: Commands, options: ShellOptions): Promise<CommandEnd> {
  const { stdin, stdout, size, resizes$, term = 'xterm-256color', login, env, cwd, line, signal } = options;
  const running = commands.start(line ?? 'login shell', {
    stdin,
    pty: { ...size, term },
    shell: line === undefined,
    ...(login === undefined ? {} : { login }),
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { signal }),
  });
  const resizing = resizes$?.subscribe((now) => running.resize(now));
  running.stdout.pipe(stdout, { end: false });
  // A pty has one output stream; nothing comes here.
  running.stderr.resume();
  try {
    const end = await running.ended;
    // Its last words may still be on their way to the terminal.
    if (end.result.kind === 'exited' && !running.stdout.readableEnded) await once(running.stdout, 'end');
    return end;
  } finally {
    resizing?.unsubscribe();
    running.stdout.unpipe(stdout);
  }
}
