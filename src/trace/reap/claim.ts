import { closeSync, openSync, readdirSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../events/index.ts';
import type { Owner } from '../contract.ts';
import { errnoOf } from '../files.ts';
import { livenessOf } from '../owner.ts';

/** Milliseconds between two looks at the claims of others, and how often one looks. */
const PAUSE = 20;
const LOOKS = 10;

const CLAIM = /^reap\.\d+\.\d+\.lock$/;

/**
 * The sole right to finish a run, among all processes. Each claimant leaves a file named after itself and then looks
 * for the files of others: of two that come at once at least one sees the other. The one with the smaller name
 * waits a moment for the other to give way, the other gives way at once. Files of the dead do not count and are
 * removed; since a name holds pid and start time, such a file is never anybody else's.
 * @returns how to give the right back, or null where another process has it
 */
export async function claim(directory: string, self: Owner, clock: Clock): Promise<(() => void) | null> {
  const name = `reap.${self.pid}.${self.startTime}.lock`;
  const file = join(directory, name);
  try {
    const fd = openSync(file, 'wx', 0o600);
    writeSync(fd, JSON.stringify(self));
    closeSync(fd);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return null;
    throw error;
  }
  const giveBack = () => unlinkSync(file);
  try {
    for (let look = 0; look < LOOKS; look++) {
      const others = living(directory, name, self);
      if (others.length === 0) return giveBack;
      if (others.some((other) => other < name)) break;
      await new Promise<void>((resolve) => clock.after(PAUSE, resolve));
    }
  } catch (error) {
    giveBack();
    throw error;
  }
  giveBack();
  return null;
}

/** The claims of other processes that may be alive. */
function living(directory: string, own: string, self: Owner): string[] {
  return readdirSync(directory).filter((name) => {
    if (name === own || !CLAIM.test(name)) return false;
    const file = join(directory, name);
    const state = stateOf(file, self);
    if (state === 'dead') rmSync(file, { force: true });
    return state === 'alive';
  });
}

function stateOf(file: string, self: Owner): 'alive' | 'dead' | 'gone' {
  try {
    return livenessOf(JSON.parse(readFileSync(file, 'utf8')) as Owner, self) === 'dead' ? 'dead' : 'alive';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    // Its owner has made it but not yet written it.
    if (error instanceof SyntaxError) return 'alive';
    throw error;
  }
}
