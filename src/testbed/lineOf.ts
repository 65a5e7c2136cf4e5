/** Characters of a command line that go into the trace. */
const LONGEST = 2000;

/** A command as a person would type it, shortened where it is very long. Pure. */
export function lineOf(command: readonly string[] | string): string {
  const line = typeof command === 'string' ? command : typed(command);
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line;
}

/** Words as one would type them at a shell. Pure. */
export function typed(words: readonly string[]): string {
  return words.map(word).join(' ');
}

function word(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
