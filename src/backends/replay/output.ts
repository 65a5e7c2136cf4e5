import type { RecordedCommand } from '../../trace/index.ts';

const BLOCK = 512;

/**
 * What stands for output of which the trace has only the size: of a copy. A tree that was brought is an empty one, a
 * file has no bytes, and what a failed copy complained of is in its cause.
 */
export function outputOf({ copy }: RecordedCommand, stream: 'stdout' | 'stderr', offset: number): Buffer {
  if (copy === null || offset > 0) return Buffer.alloc(0);
  if (stream === 'stderr') return Buffer.from(copy.complaint === null ? '' : `${copy.complaint}\n`);
  if (copy.direction === 'down') return Buffer.alloc(0);
  if (!copy.tree) return Buffer.from('644 0 0 0\n');
  const members = copy.hostile === null ? [] : [header(nameOf(copy.hostile), '0')];
  return Buffer.concat([header('./', '5'), ...members, Buffer.alloc(2 * BLOCK)]);
}

/** A name as the cause quotes it. */
function nameOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return '../outside';
  }
}

/** Header of an empty member of a tar archive, GNU format. Pure. */
function header(name: string, type: '0' | '5'): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name.slice(0, 99), 0);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  octal(type === '5' ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(0, 124, 12);
  octal(0, 136, 12);
  block.write(type, 156);
  block.write('ustar  \0', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
