import type { Writable } from 'node:stream';

/** Where a person, or whoever called, reads along: reports and the tests' stdout on one, all else on the other. */
export interface Terminal {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/**
 * Writes and, where the stream is full, waits until it has room or has gone away: a reader that leaves must not
 * hold up the run.
 */
export function writeTo(stream: Writable, chunk: Uint8Array | string): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve();
  if (stream.write(chunk)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) stream.once(event, done);
  });
}
