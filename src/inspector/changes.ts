import { watch } from 'node:fs';

/** Milliseconds after which a file is looked at though nobody said that it changed. */
const AT_LEAST = 1000;

/**
 * Yields at once, and then whenever a file may have changed: when the system says so, and now and then besides, since
 * not every file system tells. Ends when the signal aborts.
 */
export async function* changesOf(path: string, signal: AbortSignal): AsyncGenerator<void> {
  let wake: () => void = () => {};
  let changed = false;
  const tell = () => {
    changed = true;
    wake();
  };
  const watcher = watch(path, { persistent: false }, tell);
  // Where it cannot be watched it is looked at in turns all the same.
  watcher.on('error', () => {});
  signal.addEventListener('abort', tell, { once: true });
  try {
    while (!signal.aborted) {
      changed = false;
      yield;
      if (changed || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, AT_LEAST);
        timer.unref();
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    watcher.close();
    signal.removeEventListener('abort', tell);
  }
}
