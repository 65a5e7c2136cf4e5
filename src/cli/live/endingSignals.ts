import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A signal by which a person, or whoever started us, ends what we do. SIGQUIT is one of them to autopkgtest too. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** The signals that end what we do: not SIGHUP, where nohup(1) started us to outlive the terminal. */
export function endingSignals(env: NodeJS.ProcessEnv): readonly EndingSignal[] {
  const all = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
  return startedByNohup(env) ? all : [...all, 'SIGHUP'];
}

/** Has SIGHUP do nothing where nohup(1) started us. */
export function heedNohup(env: NodeJS.ProcessEnv): void {
  if (startedByNohup(env)) process.on('SIGHUP', () => {});
}

/**
 * Whether nohup(1) started us. Node.js has every signal do again what it does by default, and does not tell which of
 * them it was started to ignore. But shells say what they started in `_`, and nohup(1) of coreutils gives a process
 * that had a terminal to read from a /dev/null that is open for writing only.
 */
export function startedByNohup(env: NodeJS.ProcessEnv, self = '/proc/self'): boolean {
  if (basename(env._ ?? '') === 'nohup') return true;
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`${self}/fdinfo/0`, 'utf8'))?.[1];
    return readlinkSync(`${self}/fd/0`) === '/dev/null' && flags !== undefined && isForWriting(flags);
  } catch {
    // Without a /proc, or without a standard input.
    return false;
  }
}

/** Whether flags of open(2) say O_WRONLY. Pure. */
function isForWriting(octal: string): boolean {
  return Number.parseInt(octal, 8) % 4 === 1;
}
