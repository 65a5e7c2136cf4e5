import picocolors from 'picocolors';
import type { Output } from './Screen.ts';

/** Functions that colour text, or leave it as it is. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for a stream: only for a terminal that has them, and never where NO_COLOR is set (no-color.org). */
export function colorsFor(stream: Output, env: NodeJS.ProcessEnv = process.env): Colors {
  return picocolors.createColors(canDraw(stream, env) && !env.NO_COLOR);
}

/** Whether a stream is a terminal that understands more than lines of text. */
export function canDraw(stream: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb' && env.TERM !== undefined && env.TERM !== '';
}
