import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Clock } from '../../events/index.ts';
import { homeDirectory } from '../../host/index.ts';
import { removalCommand } from '../explain/removalCommand.ts';
import { errnoOf, messageOf } from '../files.ts';
import type { Resource } from '../folds.ts';
import { REDACTED } from '../spans.ts';
import { type Holder, isByName } from './living.ts';
import { mountsIn, throughLink, whyNotRemove } from './paths.ts';
import { endProcess } from './processes.ts';
import { runCommand } from './runCommand.ts';

/** Milliseconds that a command has to remove a resource. */
const COMMAND_LIMIT = 60_000;

/** What became of a resource: removed; gone before, whatever bears its name now; or left, for a person to remove. */
export type Release =
  | { became: 'removed' }
  | { became: 'gone'; why: string }
  | { became: 'left'; why: string; command: string | null };

/** What there is to know besides the resource. */
export interface Surroundings {
  clock: Clock;
  /** Paths that must stay. */
  inUse: readonly string[];
  holder: Holder;
}

/** Removes what a dead run left, where it is its own. */
export async function release(resource: Resource, { clock, inUse, holder }: Surroundings): Promise<Release> {
  const left = (why: string): Release => ({ became: 'left', why, command: removalCommand(resource) });
  const words = [resource.name, ...(resource.release ?? []), ...(resource.check ?? [])];
  if (words.some((word) => word.includes(REDACTED))) {
    return left('its name, or the command that removes it, holds a secret that the trace does not tell');
  }
  try {
    const another = resource.check === undefined ? heldToo(resource, holder) : await whyNotOwn(resource, clock);
    if (another !== null) return another;
    const problem = await ownWay(resource, clock, inUse);
    const why =
      problem === null || problem.refused || resource.release === undefined
        ? (problem?.why ?? null)
        : (await runCommand(resource.release, COMMAND_LIMIT, clock)).why;
    return why === null ? { became: 'removed' } : left(why);
  } catch (error) {
    return left(messageOf(error));
  }
}

/** What there is to say where what bears the name is not known to be the run's own; null where it is. */
async function whyNotOwn(resource: Resource, clock: Clock): Promise<Release | null> {
  const { status, said, why } = await runCommand(resource.check ?? [], COMMAND_LIMIT, clock);
  if (status === 0) return null;
  if (status === 1) return { became: 'gone', why: said === '' ? 'what bears the name is not of this run' : said };
  const reason = `nobody can tell whether it is of this run: ${said === '' ? why : said}`;
  // Who has looked needs no check.
  return { became: 'left', why: reason, command: removalCommand(resource, true) };
}

/** The same where nothing but its name tells it from what a run that is alive holds. */
function heldToo(resource: Resource, holder: Holder): Release | null {
  const run = isByName(resource) ? holder(resource) : null;
  if (run === null) return null;
  const why = `run ${run}, which is still going, holds one of that name; reap again once that has ended`;
  return { became: 'left', why, command: null };
}

/** Why it is still there; `refused` where nothing else may be tried either. */
interface Problem {
  why: string;
  refused: boolean;
}

/** What can be removed without help of the backend's tools. */
async function ownWay(resource: Resource, clock: Clock, inUse: readonly string[]): Promise<Problem | null> {
  const { kind, name } = resource;
  switch (kind) {
    case 'process':
      return problem(await endProcess(Number(name), resource.startTime, clock));
    case 'directory':
      return removeTree(name, [...inUse, homeDirectory(), process.cwd()]);
    case 'file':
    case 'socket':
      return removeFile(kind, name);
    case 'mount':
      return unmount(name, clock);
    case 'port':
      // The kernel frees a port when its process ends.
      return resource.release === undefined ? null : problem('the backend has a way of its own');
    default:
      return problem('only a command of its backend could remove it, and the trace has none');
  }
}

async function removeTree(path: string, inUse: readonly string[]): Promise<Problem | null> {
  const why = whyNotRemove(path, inUse);
  if (why !== null) return refusal(`it is not removed: ${why}`);
  const stats = lstat(path);
  if (stats === null) return null;
  if (!stats.isDirectory()) return refusal('it is not removed: it is no directory any more');
  const mounts = mountsIn(path);
  if (mounts.length > 0) return refusal(`it is not removed: ${mounts.join(', ')} is mounted there`);
  try {
    await rm(path, { recursive: true });
    return null;
  } catch (error) {
    return problem(messageOf(error));
  }
}

function removeFile(kind: 'file' | 'socket', path: string): Problem | null {
  // An abstract socket (unix(7)) goes with its process.
  if (kind === 'socket' && (path.startsWith('@') || path.startsWith('\0'))) return null;
  if (!isAbsolute(path)) return problem('its name is no absolute path');
  if (throughLink(path)) return refusal('it is not removed: its path leads through a symbolic link');
  const stats = lstat(path);
  if (stats === null) return null;
  if (kind === 'socket' ? !stats.isSocket() : stats.isDirectory())
    return refusal(`it is not removed: it is no ${kind} any more`);
  try {
    unlinkSync(path);
    return null;
  } catch (error) {
    return problem(messageOf(error));
  }
}

async function unmount(path: string, clock: Clock): Promise<Problem | null> {
  if (!isAbsolute(path)) return problem('its name is no absolute path');
  // One may be mounted on top of the other.
  while (mountsIn(path).includes(path)) {
    const { why } = await runCommand(['umount', '--', path], COMMAND_LIMIT, clock);
    if (why !== null) return problem(why);
  }
  return null;
}

function lstat(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function problem(why: string | null): Problem | null {
  return why === null ? null : { why, refused: false };
}

function refusal(why: string): Problem {
  return { why, refused: true };
}
