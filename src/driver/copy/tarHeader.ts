/** What a tar header says of its member. */
export interface Member {
  readonly path: string;
  readonly linkPath: string;
  /** The typeflag, with NUL as '0'. */
  readonly type: string;
  /** Bytes that follow in the archive, before padding. */
  readonly size: number;
}

/** Reads a header block (POSIX.1-1988 ustar, GNU); null for an end-of-archive block. Names keep every byte. Pure. */
export function readHeader(block: Buffer): Member | null {
  if (block[0] === 0 && block.every((byte) => byte === 0)) return null;
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 48);
  const name = textOf(block, 0, 100);
  // The prefix field is POSIX's; GNU headers (with "ustar " and a space) use that place for other things.
  const posix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = posix ? textOf(block, 345, 500) : '';
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    linkPath: textOf(block, 157, 257),
    type,
    size: numberOf(block, 124, 136),
  };
}

/** The text of a field up to its first NUL, byte for byte as latin1. Pure. */
export function textOf(block: Buffer, start: number, end: number): string {
  if (block[start] === 0) return '';
  const zero = block.indexOf(0, start);
  return block.toString('latin1', start, zero === -1 || zero > end ? end : zero);
}

/** Whether a header's checksum is right: to tar, what has a wrong one is no header at all. Pure. */
export function isSound(block: Buffer): boolean {
  // The field itself counts as eight blanks.
  let sum = 8 * 0x20;
  for (let index = 0; index < 148; index += 1) sum += block[index] as number;
  for (let index = 156; index < 512; index += 1) sum += block[index] as number;
  return numberOf(block, 148, 156) === sum;
}

/** A number field: octal digits, or base 256 where its first byte is 0x80 (GNU); NaN for anything else. Pure. */
function numberOf(block: Buffer, start: number, end: number): number {
  if (block[start] === 0x80) return block.subarray(start + 1, end).reduce((number, byte) => number * 256 + byte, 0);
  const digits = textOf(block, start, end).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}
