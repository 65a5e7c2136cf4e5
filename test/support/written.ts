import { readFileSync, watch } from 'node:fs';

/** Waits until a file that somebody writes to matches a pattern; the test's own limit ends the wait. */
export async function written(file: string, pattern: RegExp): Promise<void> {
  let look = () => {};
  // Before the first look: what is written between them is seen by either.
  const watcher = watch(file, () => look());
  try {
    await new Promise<void>((resolve, reject) => {
      watcher.once('error', reject);
      look = () => {
        if (pattern.test(readFileSync(file, 'utf8'))) resolve();
      };
      look();
    });
  } finally {
    watcher.close();
  }
}
