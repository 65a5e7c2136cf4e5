import { closeSync, existsSync, openSync, readdirSync, rmdirSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../../host/index.ts';
import { UsageError } from '../errors.ts';

/** A file that is only written to, at its end. Writes are in order and are with the kernel when they return. */
export interface Sink {
  write(chunk: Uint8Array | string): void;
  close(): void;
}

/** Opens a file for writing, empty. @throws NodeJS.ErrnoException, also from write, as on a full disk */
export function openSink(file: string): Sink {
  const fd = openSync(file, 'w', 0o644);
  let open = true;
  return {
    write: (chunk) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    },
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** Where a run leaves its files, by autopkgtest's names (autopkgtest(1), --output-dir). */
export class OutputDirectory {
  readonly path: string;

  private constructor(directory: string) {
    this.path = directory;
  }

  /** Makes the directory if it is not there. @throws UsageError where it holds anything, or cannot be made */
  static open(directory: string): OutputDirectory {
    try {
      makeDirectory(directory);
      if (readdirSync(directory).length > 0)
        throw new UsageError(`--output-dir "${directory}" is not empty: name another one, or empty it first`);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`--output-dir "${directory}" cannot be used: ${(error as Error).message}`);
    }
    return new OutputDirectory(path.resolve(directory));
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  write(name: string, content: string): void {
    writeFileSync(this.file(name), content);
  }

  /** A directory in it; made if it is not there. */
  directory(name: string): string {
    const directory = this.file(name);
    makeDirectory(directory);
    return directory;
  }

  /** The host side of a test's artifacts; made with its parents. */
  artifacts(test: string): string {
    const directory = this.file(path.join('artifacts', test));
    makeDirectory(directory);
    return directory;
  }

  /** Takes an artifacts directory away again, and its parent, where they stayed empty. */
  dropEmptyArtifacts(test: string): void {
    for (const directory of [this.file(path.join('artifacts', test)), this.file('artifacts')]) {
      if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
    }
  }

  remove(name: string): void {
    unlinkSync(this.file(name));
  }
}
