import type { Readable } from 'node:stream';

/** Bytes that exec() collects of one stream: whoever expects more uses start(). */
const MOST = 64 * 1024 * 1024;

/** All that a stream says, as text; what is beyond the limit is read and dropped, and the text says so. */
export async function collect(stream: Readable, most = MOST): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (size < most) chunks.push(chunk.subarray(0, most - size));
    size += chunk.length;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return size > most ? `${text}\n[trundle: ${size - most} more bytes were not collected]\n` : text;
}
