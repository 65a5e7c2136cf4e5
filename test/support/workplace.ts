import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory of the running test's own, gone when the test is. */
export function workplace(): string {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Disposes of something at the end of the running test. Returns it. */
export function forThisTest<T extends Disposable | AsyncDisposable>(thing: T): T {
  onTestFinished(async () => {
    if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]();
    else thing[Symbol.dispose]();
  });
  return thing;
}
