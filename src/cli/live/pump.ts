import type { Readable, Writable } from 'node:stream';

/**
 * Takes all that a stream has to another one, no faster than that one takes it. Where its reader has gone away the
 * rest is read and dropped, so that whoever writes comes to an end.
 */
export async function pump(from: Readable, to: Writable): Promise<void> {
  let gone = false;
  const leave = () => {
    gone = true;
  };
  to.once('error', leave);
  to.once('close', leave);
  try {
    for await (const chunk of from as AsyncIterable<Uint8Array>) {
      if (!gone && !to.write(chunk)) await roomIn(to);
    }
  } finally {
    to.off('error', leave);
    to.off('close', leave);
  }
}

function roomIn(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'error', 'close']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'error', 'close']) stream.once(event, done);
  });
}

/** All that a stream has, up to a limit; what comes after it is read and dropped. */
export async function gather(from: Readable, limit: number): Promise<{ text: string; truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of from as AsyncIterable<Uint8Array>) {
    if (bytes < limit) chunks.push(chunk.subarray(0, limit - bytes));
    bytes += chunk.length;
  }
  return { text: Buffer.concat(chunks).toString('utf8'), truncated: bytes > limit };
}
