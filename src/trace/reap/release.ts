import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Clock } from '../../events/index.ts';
import { errnoOf, messageOf } from '../files.ts';
import type { Resource } from '../folds.ts';
import { REDACTED } from '../spans.ts';
import { mountsIn, throughLink, whyNotRemove } from './paths.ts';
import { endProcess } from './processes.ts';
import { runCommand } from './runCommand.ts';

/** Milliseconds that a command has to remove a resource. */
const COMMAND_LIMIT = 60_000;

/**
 * Removes what a dead run left. Says why it could not, or null where the resource is gone.
 * @param inUse paths that must stay
 */
export async function release(resource: Resource, clock: Clock, inUse: readonly string[]): Promise<string | null> {
  if ([resource.name, ...(resource.release ?? [])].some((word) => word.includes(REDACTED))) {
    return 'its name, or the command that removes it, holds a secret that the trace does not tell';
  }
  try {
    const problem = await ownWay(resource, clock, inUse);
    if (problem === null || problem.refused || resource.release === undefined) return problem?.why ?? null;
    return await runCommand(resource.release, COMMAND_LIMIT, clock);
  } catch (error) {
    return messageOf(error);
  }
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
      return removeTree(name, [...inUse, homedir(), process.cwd()]);
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
    const why = await runCommand(['umount', '--', path], COMMAND_LIMIT, clock);
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
