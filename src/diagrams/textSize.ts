/** Width of characters in parts of the font size, as in DejaVu Sans, which is wider than most. */
const NARROW = 0.36;
const USUAL = 0.62;
const WIDE = 0.9;

/** Font sizes in the pictures, in pixels. */
export const FONT = { name: 14, line: 12, lineHeight: 17, nameHeight: 21 } as const;

/** Room for the sign before a line. */
export const SIGN_WIDTH = 16;

/**
 * About how wide a text is. Fonts differ from viewer to viewer, and a picture must be the same wherever it is made:
 * so nothing is measured, and the guess is on the wide side. Pure.
 */
export function widthOf(text: string, size: number): number {
  let width = 0;
  for (const character of text) {
    if (/[iljtfrI.,:;'|()[\]\s/-]/.test(character)) width += NARROW;
    else if (/[mwMW@%]/.test(character)) width += WIDE;
    else width += USUAL;
  }
  return Math.ceil(width * size);
}
