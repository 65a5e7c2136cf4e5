/**
 * Splits a text into words as sh(1) does (POSIX.1-2017, Shell Command Language, 2.2 Quoting): blanks between words;
 * quotes and backslashes keep what they hold. Nothing is expanded: $, *, ~ and all the rest stand for themselves. Pure.
 * @throws Error for a quote that is never closed, and for a backslash with nothing behind it
 */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (/[ \t\n]/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === "'" || char === '"') {
      const end = closing(text, at);
      word = (word ?? '') + inside(text.slice(at + 1, end), char);
      at = end;
    } else if (char === '\\') {
      at += 1;
      if (at === text.length) throw new Error('it ends in a backslash');
      // A backslash takes the line end behind it away.
      if (text[at] !== '\n') word = (word ?? '') + text[at];
    } else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  return words;
}

/** Where a quote ends that begins at a place. */
function closing(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === quote) return at;
    if (quote === '"' && text[at] === '\\') at += 1;
  }
  throw new Error(`the quote ${quote} at character ${start + 1} is never closed`);
}

/** What quotes hold: between double ones, a backslash escapes only what is special there. */
function inside(text: string, quote: string): string {
  if (quote === "'") return text;
  return text.replaceAll(/\\([$`"\\\n])/g, (_all, char: string) => (char === '\n' ? '' : char));
}
