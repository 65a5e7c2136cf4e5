import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';
import { TestbedError } from '../../testbed/index.ts';
import { StepError } from '../errors.ts';

/** A tree of this machine. */
interface Tree {
  /** As it was given. */
  readonly argument: string;
  readonly directory: string;
}

/**
 * Why a tree could not be copied into a testbed: where it holds what this process may not read, that is no fault of the
 * testbed, but of whoever asked for it. Any other error is returned as it is.
 */
export function whyNotCopied({ argument, directory }: Tree, error: unknown): unknown {
  if (!(error instanceof TestbedError || error instanceof StepError) || error.cause.class !== 'copy-failed')
    return error;
  const file = unreadable(directory);
  if (file === null) return error;
  const doing = `copying ${argument} into the testbed`;
  const { phase, evidence } = error.cause;
  const detail = `${file} of ${argument} may not be read by this user: change its mode, or take it away`;
  return new StepError(doing, { class: 'wrong-usage', phase, doing, detail, evidence });
}

/** The first file or directory that may not be read, from the tree's root; null where all may. */
function unreadable(directory: string, within = '.'): string | null {
  const here = path.join(directory, within);
  if (!may(here, constants.R_OK | constants.X_OK)) return within;
  for (const entry of readdirSync(here, { withFileTypes: true })) {
    const name = path.join(within, entry.name);
    if (entry.isDirectory()) {
      const found = unreadable(directory, name);
      if (found !== null) return found;
    } else if (entry.isFile() && !may(path.join(directory, name), constants.R_OK)) return name;
  }
  return null;
}

function may(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
