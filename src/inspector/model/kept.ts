/** Bytes of one stream that are kept with a page: its beginning, and its end, where failures are told. */
const HEAD = 32 * 1024;
const TAIL = 96 * 1024;
/** Bytes of all streams together; what was printed last goes first. */
const ALL = 4 * 1024 * 1024;

/** A part of a stream, from one offset to another. */
export interface StreamPart {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

/** What of a run's output a page keeps that stands alone. @param sizes bytes of each, by who printed last. Pure. */
export function partsKept(sizes: ReadonlyMap<string, number>): StreamPart[] {
  let left = ALL;
  const parts: StreamPart[] = [];
  for (const [stream, size] of [...sizes].reverse()) {
    const spans =
      size <= HEAD + TAIL
        ? [[0, size]]
        : [
            [0, HEAD],
            [size - TAIL, size],
          ];
    for (const [from = 0, to = 0] of spans) {
      if (to - from > left) continue;
      left -= to - from;
      parts.push({ stream, from, to });
    }
  }
  return parts;
}
