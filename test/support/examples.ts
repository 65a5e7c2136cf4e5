import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A project that uses this Trundle, as a stranger's would. */
export interface Project extends Disposable {
  readonly directory: string;
  /** Copies something of examples/ into it. Returns its path there. */
  add(example: string, to?: string): string;
  /** Makes packages of our own node_modules known in it. */
  link(...packages: readonly string[]): void;
}

/** Makes an empty project with `trundle` among its packages: the built one, so bundle first. */
export function makeProject(): Project {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-project-'));
  const link = (target: string, name: string) => {
    const path = join(directory, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  link(root, 'trundle');
  return {
    directory,
    add(example, to = example) {
      const path = join(directory, to);
      cpSync(join(root, 'examples', example), path, { recursive: true });
      return path;
    },
    link: (...packages) => {
      for (const name of packages) link(join(root, 'node_modules', name), name);
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
