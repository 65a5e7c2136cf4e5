import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { UsageError } from './errors.ts';
import type { SetUpOptions } from './session/setUp.ts';

/** What --copy, --setup-commands and --setup-commands-boot say. */
interface Given {
  readonly copy?: readonly string[];
  readonly setupCommands?: readonly string[];
  readonly setupCommandsBoot?: readonly string[];
}

/** Reads the options, and the files that they name, before there is a run. @throws UsageError */
export function setUpOptions({ copy = [], setupCommands = [], setupCommandsBoot = [] }: Given): SetUpOptions {
  return {
    copies: copy.map(copyOf),
    commands: setupCommands.map((text) => commandsOf('--setup-commands', text)),
    bootCommands: setupCommandsBoot.map((text) => commandsOf('--setup-commands-boot', text)),
  };
}

function copyOf(text: string): SetUpOptions['copies'][number] {
  const colon = text.indexOf(':');
  const [from, to] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon === -1 || from === '' || to === '') throw new UsageError(`--copy ${text}: expected HOSTPATH:TESTBEDPATH`);
  const stat = statOf(text, from);
  // Once there is a testbed, it would be the one to blame.
  if (!stat.isFile() && !stat.isDirectory())
    throw new UsageError(`--copy ${text}: ${from} is neither a file nor a directory`);
  return { from: from.replace(/(?<=.)\/+$/, ''), to: to.replace(/(?<=.)\/+$/, ''), directory: stat.isDirectory() };
}

function statOf(text: string, from: string): Stats {
  try {
    return statSync(from);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `${from} does not exist on this machine` : `it cannot be read: ${message}`;
    throw new UsageError(`--copy ${text}: ${why}`);
  }
}

/** Where autopkgtest has its own scripts for the purpose, which are known by their names alone. */
const SHIPPED = '/usr/share/autopkgtest/setup-commands';

/** As autopkgtest: where the text names a file, the commands are in it. */
function commandsOf(option: string, text: string): string {
  const shipped = `${SHIPPED}/${text}`;
  try {
    return readFileSync(/^[\w.+-]+$/.test(text) && existsSync(shipped) ? shipped : text, 'utf8').trim();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Most commands name no file; one with a NUL in it names none either, and cannot be run.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return text;
    throw new UsageError(`${option} ${text} cannot be read: ${message}`);
  }
}
