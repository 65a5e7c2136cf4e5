import type { FileHandle } from 'node:fs/promises';

/** Bytes read at first: who wants the header only, or has a short trace, needs no more. */
const FIRST = 16 * 1024;
/** Bytes read at a time, further on. */
const CHUNK = 256 * 1024;
/** No line of a trace is this long; a file that has one is something else. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** Whole lines, each with its newline. */
export interface LineBlock {
  bytes: Buffer;
  /** Offset of the block in the file. */
  offset: number;
}

/** What stands at the end of a file without a newline. */
export interface Remainder {
  bytes: number;
  /** Longer than any line: reading stopped there. */
  tooLong: boolean;
}

/** Reads a file from `offset` in blocks that end at line ends. Returns what is left after the last of them. */
export async function* lineBlocks(file: FileHandle, offset: number): AsyncGenerator<LineBlock, Remainder> {
  let pieces: Buffer[] = [];
  let pending = 0;
  let position = offset;
  let blockOffset = offset;
  for (let size = FIRST; ; size = CHUNK) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
    if (bytesRead === 0) return { bytes: pending, tooLong: false };
    position += bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    const end = chunk.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      pieces.push(chunk);
      pending += chunk.length;
      if (pending > LONGEST_LINE) return { bytes: pending, tooLong: true };
      continue;
    }
    const head = chunk.subarray(0, end);
    const bytes = pending === 0 ? head : Buffer.concat([...pieces, head]);
    pieces = end < chunk.length ? [chunk.subarray(end)] : [];
    pending = chunk.length - end;
    yield { bytes, offset: blockOffset };
    blockOffset += bytes.length;
  }
}
