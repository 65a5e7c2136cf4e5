import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findProgram } from '../shared/programs.ts';
import type { ChrootConfig } from './chroots.ts';

/** Where schroot(1) keeps its configuration and its scripts, and those that Debian's has. */
const CONFIGURATION = '/etc/schroot';
const SCRIPTS = `${CONFIGURATION}/setup.d`;
const USUAL = [
  ...['00check', '05btrfs', '05file', '05lvm', '05union', '05zfs', '10mount', '15binfmt', '15killprocs'],
  ...['20copyfiles', '20nssdatabases', '50chrootname', '70services', '99check'],
];

/** Whether a session is begun and ended by the usual scripts, and only by them. */
export function hasUsualScripts(): boolean {
  // It is asked once more at the end what interpreters a session takes.
  if (findProgram('update-binfmts') !== null) return false;
  try {
    return readdirSync(SCRIPTS).every((name) => USUAL.includes(name));
  } catch {
    // It keeps them elsewhere.
    return false;
  }
}

/**
 * What the scripts that follow the mounts do to a session that matters to who goes into it: nothing, or what they bring
 * from this machine; null where they could do anything.
 */
export function whatIsLeft(config: ChrootConfig): 'nothing' | 'files' | null {
  if (!hasUsualScripts() || (config.get('setup.services') ?? '') !== '' || hasScriptConfig(config)) return null;
  if ((config.get('setup.nssdatabases') ?? '') !== '') return 'files';
  const list = config.get('setup.copyfiles') ?? '';
  if (list === '') return 'nothing';
  try {
    // Everybody reads it anew, so it may come late.
    const copied = copiedFiles(readFileSync(resolve(CONFIGURATION, list), 'utf8'));
    return copied.every((path) => path === '/etc/resolv.conf') ? 'nothing' : 'files';
  } catch {
    // schroot tells what is wrong with it.
    return 'files';
  }
}

/** Whether the scripts read a file of shell commands first, which may set them to do anything. */
function hasScriptConfig(config: ChrootConfig): boolean {
  if ((config.get('script-config') ?? '') !== '') return true;
  const file = config.get('setup.config') ?? '';
  return file !== '' && existsSync(resolve(CONFIGURATION, file));
}

/** Where the files go that a list of schroot-setup(5), `copyfiles`, names. Pure. */
export function copiedFiles(list: string): string[] {
  const lines = list.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [source = '', target = source] = line.split(/\s+/);
      return target;
    });
}

/** Whether a verbose schroot(1) has said that it goes on to the script after that which mounts. Pure. */
export function isMounted(stderr: string): boolean {
  const begun = [...stderr.matchAll(/^I: Executing \W*(\d\d[\w.-]+) setup-start/gm)].map(([, name]) => name ?? '');
  return (begun.at(-1) ?? '') > '10mount';
}

/** What it would say if it were not verbose. Pure. */
export function withoutNews(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('I: '))
    .join('\n');
}

/**
 * What it says of what was asked: without warnings of chroots and sessions of others, which went while it listed them.
 * Pure.
 */
export function withoutNeighbours(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !/^W: \/(etc\/schroot\/chroot\.d|var\/lib\/schroot\/session)\/[^:]*: Failed to stat/.test(line))
    .join('\n');
}
